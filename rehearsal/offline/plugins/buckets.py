"""S3 on the emulated AWS: buckets, what is set beside them (one row each), and objects."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.amazon import Tagged, ask, client, gone, ours, theirs, there, token
from rehearsal.offline.plugins.clouds import InCloud
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream
from rehearsal.offline.plugins.wire import SIGNATURE, Values


@dataclass(frozen=True)
class Setting:
    """One separate setting of a bucket: what it is called in the API, and where the plugin's properties go."""

    name: str
    argument: str
    inside: str = ""  # the property whose value the argument is; without one, all properties are its members
    members: tuple[str, ...] = ()
    off: Any = None  # what a deletion writes, where the API has no deletion
    reads: Callable[[Values], Values] | None = None


class BucketSetting(InCloud):
    """What S3 keeps beside a bucket, one resource each since version 4 of the AWS provider."""

    computed = {"id": None, "bucketKeyEnabled": False, "mfaDelete": "Disabled", "blockedEncryptionTypes": None}  # noqa: RUF012

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def _write(self, subject: Subject, given: Values) -> None:
        row = self.setting
        value = given.get(row.inside) if row.inside else {key: given[key] for key in row.members if key in given}
        if row.argument == "Policy":
            argument: Any = value if isinstance(value, str) else json.dumps(value)
        else:
            argument = theirs(value)
        wrapped = (
            {"Rules": argument}
            if row.inside == "rules"
            else {"CORSRules": argument}
            if row.inside == "corsRules"
            else {"LoggingEnabled": argument}
            if row.name == "bucket_logging"
            else argument
        )
        what = f"creating S3 {row.name.replace('_', ' ')} ({given['bucket']}): "
        arguments = {
            row.argument: {"Rules": [argument]} if row.inside == "rule" and "ownership" in row.name else wrapped
        }
        ask(subject, "s3", f"put_{row.name}", what, region=given.get("region"), Bucket=given["bucket"], **arguments)

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        self._write(subject, given)
        return str(given["bucket"]), {}

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        self._write(subject, given)
        return {}

    def imported(self, subject: Subject, identity: str) -> Values:
        return {"id": identity, "bucket": identity}

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        row = self.setting
        answer = there(subject, "s3", f"get_{row.name}", region=state.get("region"), Bucket=identity)
        if answer is None:
            return None
        answer.pop("ResponseMetadata", None)
        seen = row.reads(answer) if row.reads else ours(answer)
        return {"bucket": identity, **seen} if seen else None

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        row = self.setting
        region, what = state.get("region"), f"deleting S3 {row.name.replace('_', ' ')} ({identity}): "
        try:
            if row.off is not None:
                ask(subject, "s3", f"put_{row.name}", what, region=region, Bucket=identity, **{row.argument: row.off})
            else:
                name = row.name.removesuffix("_configuration")
                ask(subject, "s3", f"delete_{name}", what, region=region, Bucket=identity)
        except Upstream as error:
            if not gone(error):
                raise


def _versioning(answer: Values) -> Values:
    status = answer.get("Status")
    mfa = {"mfaDelete": answer["MFADelete"]} if "MFADelete" in answer else {}
    return {"versioningConfiguration": {"status": status, **mfa}} if status else {}


def _policy(answer: Values) -> Values:
    return {"policy": answer["Policy"]}


_SETTINGS = {
    "BucketVersioning": Setting(
        "bucket_versioning",
        "VersioningConfiguration",
        "versioningConfiguration",
        off={"Status": "Suspended"},
        reads=_versioning,
    ),
    "BucketServerSideEncryptionConfiguration": Setting(
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "rules",
        reads=lambda answer: {"rules": ours(answer["ServerSideEncryptionConfiguration"]["Rules"])},
    ),
    "BucketPublicAccessBlock": Setting(
        "public_access_block",
        "PublicAccessBlockConfiguration",
        members=("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
        reads=lambda answer: dict(ours(answer["PublicAccessBlockConfiguration"])),
    ),
    "BucketOwnershipControls": Setting(
        "bucket_ownership_controls",
        "OwnershipControls",
        "rule",
        reads=lambda answer: {"rule": ours(answer["OwnershipControls"]["Rules"][0])},
    ),
    "BucketPolicy": Setting("bucket_policy", "Policy", "policy", reads=_policy),
    "BucketLifecycleConfiguration": Setting(
        "bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        "rules",
        reads=lambda answer: {"rules": ours(answer["Rules"])},
    ),
    "BucketCorsConfiguration": Setting("bucket_cors", "CORSConfiguration", "corsRules"),
    "BucketLogging": Setting(
        "bucket_logging",
        "BucketLoggingStatus",
        members=("targetBucket", "targetPrefix", "targetGrants", "targetObjectKeyFormat"),
        off={},
        reads=lambda answer: dict(ours(answer.get("LoggingEnabled", {}))),
    ),
    "BucketObjectLockConfiguration": Setting(
        "object_lock_configuration",
        "ObjectLockConfiguration",
        members=("objectLockEnabled", "rule"),
        off={"ObjectLockEnabled": "Enabled"},  # it cannot be taken back
        reads=lambda answer: dict(ours(answer["ObjectLockConfiguration"])),
    ),
    "BucketReplicationConfig": Setting(
        "bucket_replication",
        "ReplicationConfiguration",
        members=("role", "rules"),
        reads=lambda answer: dict(ours(answer["ReplicationConfiguration"])),
    ),
}


class Bucket(Tagged):
    """aws.s3.Bucket."""

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        name, region = given["bucket"], given.get("region") or subject.region
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        lock = bool(given.get("objectLockEnabled"))
        what = f"creating S3 Bucket ({name}): "
        ask(subject, "s3", "create_bucket", what, region=region, Bucket=name, ObjectLockEnabledForBucket=lock, **where)
        self._tag(subject, given)
        return str(name), {"region": region}

    def _tag(self, subject: Subject, given: Values) -> None:
        what = f"setting S3 Bucket ({given['bucket']}) tags: "
        if tags := self.tag_list(subject, given):
            ask(subject, "s3", "put_bucket_tagging", what, Bucket=given["bucket"], Tagging={"TagSet": tags})
        else:
            ask(subject, "s3", "delete_bucket_tagging", what, Bucket=given["bucket"])

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        self._tag(subject, given)
        return {}

    def imported(self, subject: Subject, identity: str) -> Values:
        return {"id": identity, "bucket": identity}

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        if there(subject, "s3", "head_bucket", Bucket=identity) is None:
            return None
        tags = there(subject, "s3", "get_bucket_tagging", Bucket=identity) or {"TagSet": []}
        lock = there(subject, "s3", "get_object_lock_configuration", Bucket=identity)
        place = ask(subject, "s3", "get_bucket_location", Bucket=identity).get("LocationConstraint") or "us-east-1"
        told = {"bucket": identity, "region": place, "objectLockEnabled": lock is not None}
        return {**told, **self.tags_there(subject, state, tags["TagSet"])}

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        name = str(given.get("bucket", ""))
        return name if there(subject, "s3", "head_bucket", Bucket=name) is not None else None

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        if there(subject, "s3", "head_bucket", Bucket=identity) is None:
            return
        if state.get("forceDestroy"):
            self._empty(subject, identity)
        ask(subject, "s3", "delete_bucket", f"deleting S3 Bucket ({identity}): ", Bucket=identity)

    def _empty(self, subject: Subject, name: str) -> None:
        pages = client(subject, "s3").get_paginator("list_object_versions").paginate(Bucket=name)
        for page in pages:
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                version = {"VersionId": one["VersionId"]} if one.get("VersionId") else {}
                what = f"deleting S3 Bucket ({name}): "
                ask(subject, "s3", "delete_object", what, Bucket=name, Key=one["Key"], **version)


class Object(Tagged):
    """aws.s3.BucketObjectv2."""

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        bucket, key = given["bucket"], given["key"]
        names = ("contentType", "cacheControl", "contentEncoding", "contentDisposition", "storageClass", "metadata")
        extra = theirs({name: given[name] for name in names if given.get(name)})
        body = _body(subject, given)
        what = f"uploading S3 Object ({key}) to Bucket ({bucket}): "
        answer = ask(subject, "s3", "put_object", what, Bucket=bucket, Key=key, Body=body, **extra)
        return f"{bucket}/{key}", {"etag": answer["ETag"].strip('"'), "versionId": answer.get("VersionId", "")}

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        return self.make(subject, given)[1]

    def imported(self, subject: Subject, identity: str) -> Values:
        bucket, _, key = identity.partition("/")
        return {"id": identity, "bucket": bucket, "key": key}

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        found = there(subject, "s3", "head_object", Bucket=state["bucket"], Key=state["key"])
        if found is None:
            return None
        told = {"etag": found["ETag"].strip('"'), "versionId": found.get("VersionId", "")}
        return {"bucket": state["bucket"], "key": state["key"], "contentType": found.get("ContentType"), **told}

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        identity = f"{given.get('bucket')}/{given.get('key')}"
        return identity if self.look(subject, identity, given) else None

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        bucket, key = state["bucket"], state["key"]
        what = f"deleting S3 Object ({key}) from Bucket ({bucket}): "
        for page in client(subject, "s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if one["Key"] == key:
                    ask(subject, "s3", "delete_object", what, Bucket=bucket, Key=key, VersionId=one["VersionId"])


def _body(subject: Subject, given: Values) -> bytes:
    if given.get("content") is not None:
        return str(given["content"]).encode()
    source = given.get("source")
    if isinstance(source, dict) and SIGNATURE in source:
        return (
            source["text"].encode() if "text" in source else Path(subject.session.folder, source["path"]).read_bytes()
        )
    return b""


ACTORS: dict[str, InCloud] = {
    **{token("s3", name): BucketSetting(row) for name, row in _SETTINGS.items()},
    token("s3", "Bucket"): Bucket(),
    token("s3", "BucketObjectv2"): Object(),
}
