"""Object Lock: what is locked stays, for as long and as strictly as it was said."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cloud_clients import allow, client, new_bucket, new_key, refused

from rehearsal.clouds.servers import Clouds


def on(days: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)


@pytest.fixture(scope="module")
def s3(clouds: Clouds) -> Any:
    return client(clouds, "s3")


@pytest.fixture(scope="module")
def locked(s3: Any) -> str:
    return new_bucket(s3, ObjectLockEnabledForBucket=True)


def put(s3: Any, bucket: str, key: str, **lock: Any) -> str:
    return str(s3.put_object(Bucket=bucket, Key=key, Body=b"dump", **lock)["VersionId"])


def test_a_locked_version_stays_and_can_be_covered(s3: Any, locked: str) -> None:
    version = put(s3, locked, "a", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=on(10))
    status, code, message = refused(s3.delete_object, Bucket=locked, Key="a", VersionId=version)
    assert (status, code, message) == (403, "AccessDenied", "Access Denied because object protected by object lock.")
    s3.put_object(Bucket=locked, Key="a", Body=b"newer")
    s3.delete_object(Bucket=locked, Key="a")
    assert refused(s3.get_object, Bucket=locked, Key="a")[1] == "NoSuchKey"
    assert s3.get_object(Bucket=locked, Key="a", VersionId=version)["Body"].read() == b"dump"
    answer = s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": "a", "VersionId": version}]})
    assert [item["Code"] for item in answer["Errors"]] == ["AccessDenied"]


@pytest.mark.parametrize(
    ("mode", "bypass", "change", "taken"),
    [
        ("COMPLIANCE", False, ("COMPLIANCE", 20), True),
        ("COMPLIANCE", True, ("COMPLIANCE", 5), False),
        ("COMPLIANCE", True, ("GOVERNANCE", 20), False),
        ("COMPLIANCE", True, None, False),
        ("GOVERNANCE", False, ("GOVERNANCE", 20), True),
        ("GOVERNANCE", False, ("COMPLIANCE", 20), True),
        ("GOVERNANCE", False, ("GOVERNANCE", 5), False),
        ("GOVERNANCE", True, ("GOVERNANCE", 5), True),
        ("GOVERNANCE", False, None, False),
    ],
)
def test_retention_grows_and_shrinks_only_in_governance_by_who_may(
    s3: Any, locked: str, mode: str, bypass: bool, change: tuple[str, float] | None, taken: bool
) -> None:
    version = put(s3, locked, "r", ObjectLockMode=mode, ObjectLockRetainUntilDate=on(10))
    retention = {"Mode": change[0], "RetainUntilDate": on(change[1])} if change else {}
    arguments = {"Bucket": locked, "Key": "r", "VersionId": version, "Retention": retention}
    if taken:
        s3.put_object_retention(**arguments, BypassGovernanceRetention=bypass)
        assert s3.get_object_retention(Bucket=locked, Key="r", VersionId=version)["Retention"]["Mode"] == change[0]  # type: ignore[index]
    else:
        assert refused(s3.put_object_retention, **arguments, BypassGovernanceRetention=bypass)[1] == "AccessDenied"


def test_governance_is_bypassed_only_with_the_permission_and_the_header(clouds: Clouds, s3: Any, locked: str) -> None:
    version = put(s3, locked, "g", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=on(10))
    place = {"Bucket": locked, "Key": "g", "VersionId": version}
    versions = f"arn:aws:s3:::{locked}/*"
    iam = client(clouds, "iam")
    deleter = client(clouds, "s3", new_key(iam, allow("s3:DeleteObjectVersion", versions)))
    status, code, message = refused(deleter.delete_object, **place, BypassGovernanceRetention=True)
    assert (status, code) == (403, "AccessDenied")
    assert "s3:BypassGovernanceRetention" in message
    assert refused(s3.delete_object, **place)[1] == "AccessDenied"
    both = ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]
    client(clouds, "s3", new_key(iam, allow(both, versions))).delete_object(**place, BypassGovernanceRetention=True)
    assert refused(s3.get_object, **place)[0] == 404


def test_a_legal_hold_holds_until_it_is_lifted(s3: Any, locked: str) -> None:
    version = put(s3, locked, "h", ObjectLockLegalHoldStatus="ON")
    place = {"Bucket": locked, "Key": "h", "VersionId": version}
    assert refused(s3.delete_object, **place, BypassGovernanceRetention=True)[1] == "AccessDenied"
    s3.put_object_legal_hold(**place, LegalHold={"Status": "OFF"})
    s3.delete_object(**place)


def test_only_buckets_that_have_it_lock(s3: Any) -> None:
    plain = new_bucket(s3)
    s3.put_object(Bucket=plain, Key="a", Body=b"")
    missing = (400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
    until = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": on(1)}
    assert refused(s3.put_object, Bucket=plain, Key="a", Body=b"", **until) == missing
    assert refused(s3.put_object_legal_hold, Bucket=plain, Key="a", LegalHold={"Status": "ON"}) == missing
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": on(1)}
    assert refused(s3.put_object_retention, Bucket=plain, Key="a", Retention=retention) == missing
    configuration = {"ObjectLockEnabled": "Enabled"}
    arguments = {"Bucket": plain, "ObjectLockConfiguration": configuration}
    assert refused(s3.put_object_lock_configuration, **arguments)[:2] == (409, "InvalidBucketState")
    s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(**arguments)
    suspend = {"Bucket": plain, "VersioningConfiguration": {"Status": "Suspended"}}
    assert refused(s3.put_bucket_versioning, **suspend)[:2] == (409, "InvalidBucketState")


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "must both be supplied"),
        ({"ObjectLockRetainUntilDate": on(1)}, "must both be supplied"),
        ({"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": on(-1)}, "must be in the future"),
        ({"ObjectLockMode": "FOREVER", "ObjectLockRetainUntilDate": on(1)}, "wormMode"),
    ],
    ids=["no date", "no mode", "past", "mode"],
)
def test_locks_that_make_no_sense(s3: Any, locked: str, lock: Any, words: str) -> None:
    status, code, message = refused(s3.put_object, Bucket=locked, Key="x", Body=b"", **lock)
    assert (status, code) == (400, "InvalidArgument")
    assert words in message


def test_the_default_retention_locks_what_is_written_afterwards(s3: Any) -> None:
    bucket = new_bucket(s3, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    version = put(s3, bucket, "d")
    head = s3.head_object(Bucket=bucket, Key="d")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert on(29) < head["ObjectLockRetainUntilDate"] < on(31)
    assert refused(s3.delete_object, Bucket=bucket, Key="d", VersionId=version)[1] == "AccessDenied"


def test_writing_only_what_is_new_and_only_over_what_is_known(s3: Any) -> None:
    bucket = new_bucket(s3)
    etag = s3.put_object(Bucket=bucket, Key="lock", Body=b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="lock", Body=b"2", IfNoneMatch="*")[:2] == (
        412,
        "PreconditionFailed",
    )
    assert s3.get_object(Bucket=bucket, Key="lock")["Body"].read() == b"1"
    s3.put_object(Bucket=bucket, Key="lock", Body=b"3", IfMatch=etag)
    assert refused(s3.put_object, Bucket=bucket, Key="lock", Body=b"4", IfMatch=etag)[:2] == (412, "PreconditionFailed")
    s3.delete_object(Bucket=bucket, Key="lock")
    s3.put_object(Bucket=bucket, Key="lock", Body=b"5", IfNoneMatch="*")
