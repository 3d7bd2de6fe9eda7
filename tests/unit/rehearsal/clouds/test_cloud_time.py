"""Clouds of their own, because time passes in them: archives, retention, and what a restart finds again."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from typing import Any

import pytest
from cloud_clients import client, new_bucket, refused

from rehearsal.clouds import servers

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Clouds]:
    folder = tmp_path_factory.mktemp("clouds-in-time")
    yield servers.start(folder, owner=os.getpid())
    servers.stop(folder)


def restored(days: int = 1, tier: str = "Standard") -> dict[str, Any]:
    return {"Days": days, "GlacierJobParameters": {"Tier": tier}}


def test_an_archived_object_is_there_when_its_retrieval_has_taken_its_time(own: servers.Clouds) -> None:
    s3 = client(own, "s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="old", Body=b"dump", StorageClass="GLACIER")
    place = {"Bucket": bucket, "Key": "old"}
    assert refused(s3.get_object, **place)[:2] == (403, "InvalidObjectState")
    assert s3.head_object(**place)["StorageClass"] == "GLACIER"
    source = {"CopySource": place, "Bucket": bucket, "Key": "copy"}
    assert refused(s3.copy_object, **source)[:2] == (403, "ObjectNotInActiveTierError")

    answer = s3.restore_object(**place, RestoreRequest=restored(days=2))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert s3.head_object(**place)["Restore"] == 'ongoing-request="true"'
    again = refused(s3.restore_object, **place, RestoreRequest=restored())
    assert again == (409, "RestoreAlreadyInProgress", "Object restore is already in progress")
    own.skip(5 * HOUR - 60)
    assert refused(s3.get_object, **place)[1] == "InvalidObjectState"

    own.skip(120)
    assert s3.get_object(**place)["Body"].read() == b"dump"
    assert s3.head_object(**place)["Restore"].startswith('ongoing-request="false", expiry-date="')
    s3.copy_object(**source)
    longer = s3.restore_object(**place, RestoreRequest=restored(days=3))
    assert longer["ResponseMetadata"]["HTTPStatusCode"] == 200

    own.skip(5 * DAY)
    assert refused(s3.get_object, **place)[1] == "InvalidObjectState"
    assert "Restore" not in s3.head_object(**place)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"dump"


@pytest.mark.parametrize(
    ("storage_class", "tier", "hours"),
    [("GLACIER", "Expedited", 5 / 60), ("GLACIER", "Bulk", 12), ("DEEP_ARCHIVE", "Standard", 12),
     ("DEEP_ARCHIVE", "Bulk", 48)],
)  # fmt: skip
def test_each_tier_takes_its_own_time(own: servers.Clouds, storage_class: str, tier: str, hours: float) -> None:
    s3 = client(own, "s3")
    bucket = new_bucket(s3)
    place = {"Bucket": bucket, "Key": "a"}
    s3.put_object(**place, Body=b"x", StorageClass=storage_class)
    s3.restore_object(**place, RestoreRequest=restored(tier=tier))
    own.skip(hours * HOUR - 30)
    assert refused(s3.get_object, **place)[1] == "InvalidObjectState"
    own.skip(60)
    assert s3.get_object(**place)["Body"].read() == b"x"


def test_what_cannot_be_retrieved(own: servers.Clouds) -> None:
    s3 = client(own, "s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="warm", Body=b"")
    s3.put_object(Bucket=bucket, Key="deep", Body=b"", StorageClass="DEEP_ARCHIVE")
    arguments = {"Bucket": bucket, "RestoreRequest": restored()}
    assert refused(s3.restore_object, **arguments, Key="warm")[:2] == (403, "InvalidObjectState")
    assert refused(s3.restore_object, **arguments, Key="none")[:2] == (404, "NoSuchKey")
    expedited = {"Bucket": bucket, "Key": "deep", "RestoreRequest": restored(tier="Expedited")}
    assert refused(s3.restore_object, **expedited)[:2] == (400, "InvalidArgument")
    assert refused(s3.restore_object, Bucket=bucket, Key="deep", RestoreRequest={"Days": 0})[1] == "MalformedXML"


def test_a_retention_that_has_ended_holds_no_longer(own: servers.Clouds) -> None:
    s3 = client(own, "s3")
    bucket = new_bucket(s3, ObjectLockEnabledForBucket=True)
    # The clouds' own clock is ahead by what the other tests have skipped.
    until = datetime.datetime.fromisoformat(now(own)) + datetime.timedelta(days=10)
    made = s3.put_object(Bucket=bucket, Key="a", Body=b"", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    place = {"Bucket": bucket, "Key": "a", "VersionId": made["VersionId"]}
    own.skip(9 * DAY)
    assert refused(s3.delete_object, **place)[1] == "AccessDenied"
    own.skip(2 * DAY)
    s3.delete_object(**place)


def now(clouds: servers.Clouds) -> str:
    return str(clouds.now())


def test_lifecycle_moves_and_removes_what_is_old_enough(own: servers.Clouds) -> None:
    s3 = client(own, "s3")
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rules = [
        {"ID": "dumps", "Status": "Enabled", "Filter": {"Prefix": "dumps/"},
         "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}], "Expiration": {"Days": 365},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
        {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
    ]  # fmt: skip
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    s3.put_object(Bucket=bucket, Key="dumps/a", Body=b"first", StorageClass="STANDARD_IA")
    s3.put_object(Bucket=bucket, Key="dumps/a", Body=b"second", StorageClass="STANDARD_IA")
    s3.put_object(Bucket=bucket, Key="other", Body=b"kept")
    own.skip(29 * DAY)
    assert len(s3.list_object_versions(Bucket=bucket, Prefix="dumps/")["Versions"]) == 2
    own.skip(62 * DAY)
    assert len(s3.list_object_versions(Bucket=bucket, Prefix="dumps/")["Versions"]) == 1
    assert s3.head_object(Bucket=bucket, Key="dumps/a")["StorageClass"] == "GLACIER"
    assert refused(s3.get_object, Bucket=bucket, Key="dumps/a")[1] == "InvalidObjectState"
    own.skip(275 * DAY)
    assert refused(s3.head_object, Bucket=bucket, Key="dumps/a")[0] == 404
    assert s3.get_object(Bucket=bucket, Key="other")["Body"].read() == b"kept"
