"""What each key can do and what it cannot, asked of S3 with the key itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from keyring import Key, arguments, client, new_bucket, new_key, operations, outcome

from components.storage.identity import application, backup
from components.storage.policies import Statement
from rehearsal.clouds.servers import Clouds

OLD = "database/neurmatic_20261120_020000.sql.gz"
FRESH = "database/neurmatic_20261121_020000.sql.gz"
APPLICATION = {
    *("AbortMultipartUpload", "CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart"),
    *("CopyObject", "UploadPartCopy", "DeleteObject", "DeleteObjects", "GetObject", "HeadObject", "PutObject"),
    *("HeadBucket", "ListObjects", "ListObjectsV2", "SelectObjectContent"),
}
BACKUP = {
    *("AbortMultipartUpload", "CreateMultipartUpload", "ListParts", "UploadPart", "UploadPartCopy"),
    *("GetObject", "HeadObject", "RestoreObject", "SelectObjectContent"),
    *("ListObjects", "ListObjectsV2", "ListObjectVersions"),
}


@dataclass(frozen=True)
class Place:
    """A bucket with one dump in it, and the key that is tried there."""

    clouds: Clouds
    bucket: str
    key: Key
    version: str

    @property
    def s3(self) -> Any:
        return client(self.clouds, "s3", self.key)

    @property
    def owner(self) -> Any:
        return client(self.clouds, "s3")


def place(clouds: Clouds, rights: Callable[[str], list[Statement]]) -> Place:
    bucket = new_bucket(clouds)
    version = client(clouds, "s3").put_object(Bucket=bucket, Key=OLD, Body=b"dump")["VersionId"]
    client(clouds, "s3").put_object(Bucket=bucket, Key="other/note", Body=b"secret")
    return Place(clouds, bucket, new_key(clouds, rights(bucket)), version)


def of_backup(bucket: str) -> list[Statement]:
    return backup(bucket, "database/")


@pytest.fixture
def dumps(clouds: Clouds) -> Place:
    return place(clouds, of_backup)


@pytest.fixture
def uploads(clouds: Clouds) -> Place:
    return place(clouds, application)


def permitted(where: Place, service: str) -> set[str]:
    """Every operation that the SDK knows, tried: those that were not refused for want of a permission."""
    api = client(where.clouds, service, where.key)
    known: dict[str, Any] = {"Bucket": where.bucket, "Key": OLD, "Prefix": "database/", "UserName": where.key.user}
    known |= {"CopySource": f"{where.bucket}/{OLD}", "RestoreRequest": {"Days": 1}}
    tried = [(name, getattr(api, method), arguments(api, name, known)) for name, method in operations(api)]
    assert len(tried) > 100, "the SDK's list of operations was not read"
    return {name for name, call, given in tried if outcome(call, **given) != "AccessDenied"}


def test_the_backup_key_is_refused_every_call_but_its_own(dumps: Place) -> None:
    assert permitted(dumps, "s3") == BACKUP
    assert permitted(dumps, "iam") == set()
    assert dumps.owner.get_object(Bucket=dumps.bucket, Key=OLD)["VersionId"] == dumps.version


def test_the_applications_key_is_refused_every_call_but_its_own(uploads: Place) -> None:
    assert permitted(uploads, "s3") == APPLICATION
    assert permitted(uploads, "iam") == set()


def test_the_backup_key_adds_reads_lists_and_fetches_from_the_archive(dumps: Place) -> None:
    s3, here = dumps.s3, {"Bucket": dumps.bucket, "Key": FRESH}
    s3.put_object(**here, Body=b"new", StorageClass="STANDARD_IA", Metadata={"size": "3"}, IfNoneMatch="*")
    assert s3.get_object(**here)["Body"].read() == b"new"
    assert s3.head_object(**here)["Metadata"] == {"size": "3"}
    assert s3.get_object(Bucket=dumps.bucket, Key=OLD, VersionId=dumps.version)["Body"].read() == b"dump"
    listed = s3.list_objects_v2(Bucket=dumps.bucket, Prefix="database/")["Contents"]
    assert [each["Key"] for each in listed] == [OLD, FRESH]
    archived = {"Bucket": dumps.bucket, "Key": "database/archived"}
    s3.put_object(**archived, Body=b"cold", StorageClass="GLACIER", IfNoneMatch="*")
    s3.restore_object(**archived, RestoreRequest={"Days": 3})


def test_the_backup_key_adds_in_parts(dumps: Place) -> None:
    here = {"Bucket": dumps.bucket, "Key": FRESH}
    complete = in_parts(dumps, FRESH)
    dumps.s3.complete_multipart_upload(**complete, IfNoneMatch="*")
    assert dumps.s3.get_object(**here)["Body"].read() == b"part"
    begun = in_parts(dumps, "database/given-up")
    del begun["MultipartUpload"]
    dumps.s3.abort_multipart_upload(**begun)


def test_the_applications_key_works_on_uploads(uploads: Place) -> None:
    here = {"Bucket": uploads.bucket, "Key": "avatars/1.png"}
    uploads.s3.put_object(**here, Body=b"1")
    uploads.s3.put_object(**here, Body=b"2")
    assert uploads.s3.get_object(**here)["Body"].read() == b"2"
    uploads.s3.delete_object(**here)
    assert "avatars/1.png" not in {
        each["Key"] for each in uploads.s3.list_objects_v2(Bucket=uploads.bucket)["Contents"]
    }


def in_parts(where: Place, key: str) -> dict[str, Any]:
    here = {"Bucket": where.bucket, "Key": key}
    upload = {**here, "UploadId": where.s3.create_multipart_upload(**here)["UploadId"]}
    part = where.s3.upload_part(**upload, PartNumber=1, Body=b"part")
    return {**upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}


Attempt = Callable[[Place], str]
# Ways of losing a dump, or of reaching what is nobody's business, each told by what S3 answers.
ATTEMPTS: dict[str, Attempt] = {
    "put over it": lambda at: outcome(at.s3.put_object, Bucket=at.bucket, Key=OLD, Body=b"x"),
    "put over it as if it matched": lambda at: outcome(
        at.s3.put_object, Bucket=at.bucket, Key=OLD, Body=b"x", IfMatch=etag(at)
    ),
    "put over it unless it is another": lambda at: outcome(
        at.s3.put_object, Bucket=at.bucket, Key=OLD, Body=b"x", IfNoneMatch='"0"'
    ),
    "put unannounced": lambda at: outcome(at.s3.put_object, Bucket=at.bucket, Key=FRESH, Body=b"x"),
    "copy over it": lambda at: outcome(
        at.s3.copy_object, Bucket=at.bucket, Key=OLD, CopySource=f"{at.bucket}/{OLD}", StorageClass="GLACIER"
    ),
    "complete parts over it": lambda at: outcome(at.s3.complete_multipart_upload, **in_parts(at, OLD)),
    "delete it": lambda at: outcome(at.s3.delete_object, Bucket=at.bucket, Key=OLD),
    "delete its version": lambda at: outcome(
        at.s3.delete_object, Bucket=at.bucket, Key=OLD, VersionId=at.version, BypassGovernanceRetention=True
    ),
    "delete it among many": lambda at: outcome(
        at.s3.delete_objects, Bucket=at.bucket, Delete={"Objects": [{"Key": OLD, "VersionId": at.version}]}
    ),
    "put elsewhere": lambda at: outcome(at.s3.put_object, Bucket=at.bucket, Key="other/x", Body=b"x", IfNoneMatch="*"),
    "put with a lock of its own": lambda at: outcome(
        at.s3.put_object, Bucket=at.bucket, Key=FRESH, Body=b"x", IfNoneMatch="*", ObjectLockLegalHoldStatus="ON"
    ),
    "put for everybody": lambda at: outcome(
        at.s3.put_object, Bucket=at.bucket, Key=FRESH, Body=b"x", IfNoneMatch="*", ACL="public-read"
    ),
    "read elsewhere": lambda at: outcome(at.s3.get_object, Bucket=at.bucket, Key="other/note"),
    "fetch elsewhere": lambda at: outcome(
        at.s3.restore_object, Bucket=at.bucket, Key="other/note", RestoreRequest={"Days": 1}
    ),
    "list everything": lambda at: outcome(at.s3.list_objects_v2, Bucket=at.bucket),
    "list elsewhere": lambda at: outcome(at.s3.list_objects_v2, Bucket=at.bucket, Prefix="other/"),
    "list all versions": lambda at: outcome(at.s3.list_object_versions, Bucket=at.bucket),
    "empty it by rule": lambda at: outcome(
        at.s3.put_bucket_lifecycle_configuration,
        Bucket=at.bucket,
        LifecycleConfiguration={
            "Rules": [{"ID": "gone", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    ),
    "stop keeping versions": lambda at: outcome(
        at.s3.put_bucket_versioning, Bucket=at.bucket, VersioningConfiguration={"Status": "Suspended"}
    ),
    "give itself more": lambda at: outcome(
        client(at.clouds, "iam", at.key).put_user_policy,
        UserName=at.key.user,
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    ),
}


def etag(at: Place) -> str:
    return str(at.owner.head_object(Bucket=at.bucket, Key=OLD)["ETag"])


@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
def test_the_backup_key_cannot(dumps: Place, attempt: str) -> None:
    assert ATTEMPTS[attempt](dumps) == "AccessDenied"
    assert dumps.owner.get_object(Bucket=dumps.bucket, Key=OLD)["VersionId"] == dumps.version


def test_announced_as_new_over_what_is_there_is_refused_by_s3_itself(dumps: Place) -> None:
    given = {"Bucket": dumps.bucket, "Key": OLD, "Body": b"x", "IfNoneMatch": "*"}
    assert outcome(dumps.s3.put_object, **given) == "PreconditionFailed"
    parts = in_parts(dumps, OLD)
    assert outcome(dumps.s3.complete_multipart_upload, **parts, IfNoneMatch="*") == "PreconditionFailed"


def test_neither_key_reaches_the_others_bucket(dumps: Place, uploads: Place) -> None:
    assert outcome(dumps.s3.get_object, Bucket=uploads.bucket, Key=OLD) == "AccessDenied"
    assert outcome(uploads.s3.get_object, Bucket=dumps.bucket, Key=OLD) == "AccessDenied"
    assert outcome(uploads.s3.list_objects_v2, Bucket=dumps.bucket) == "AccessDenied"


def without(sid: str) -> Callable[[str], list[Statement]]:
    return lambda bucket: [each for each in of_backup(bucket) if each["Sid"] != sid]


def unconditional(sid: str) -> Callable[[str], list[Statement]]:
    return lambda bucket: [
        {name: value for name, value in each.items() if name != "Condition" or each["Sid"] != sid}
        for each in of_backup(bucket)
    ]


def widened(bucket: str) -> list[Statement]:
    """What somebody adds in a hurry."""
    return [*of_backup(bucket), {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/database/*"}]


@pytest.mark.parametrize(
    ("rights", "let_through"),
    [
        (without("NoOverwriting"), "put over it"),
        (without("NoOverwriting"), "complete parts over it"),
        (unconditional("List"), "list everything"),
        (lambda bucket: [*widened(bucket)[:-2], widened(bucket)[-1]], "delete its version"),
    ],
    ids=["overwriting", "overwriting in parts", "listing", "more rights"],
)
def test_a_weaker_policy_is_noticed(clouds: Clouds, rights: Any, let_through: str) -> None:
    """The counter-proof: the front weighs each of these statements, and the attempts are attempts."""
    assert ATTEMPTS[let_through](place(clouds, rights)) != "AccessDenied"


def test_rights_added_to_the_user_later_change_nothing(clouds: Clouds) -> None:
    at = place(clouds, widened)
    allowed = {name for name, attempt in ATTEMPTS.items() if attempt(at) != "AccessDenied"}
    assert allowed == set()
