"""S3 and IAM on the emulated AWS, through boto3: a table for what is set and read, code for what a table cannot say."""

import json
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins import clouds
from rehearsal.offline.plugins.clouds import InCloud
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream
from rehearsal.offline.plugins.session import ACCOUNT
from rehearsal.offline.plugins.wire import SIGNATURE, Values

_OURS = {"ID": "id", "CORSRules": "corsRules", "SSEAlgorithm": "sseAlgorithm", "KMSMasterKeyID": "kmsMasterKeyId"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
_GONE = ("NoSuch", "NotFound", "404")


_clients: dict[tuple[str, ...], Any] = {}
_lock = threading.Lock()


def _client(subject: Subject, service: str, region: str | None = None) -> Any:
    import boto3  # noqa: PLC0415 - a preview pays nothing for it

    there = clouds.running(subject)
    key = (service, region or subject.region, there.aws, there.aws_key, there.aws_secret)
    with _lock:  # a client serves all threads; making one takes a while
        if key not in _clients:
            _clients[key] = boto3.client(
                service,
                region_name=key[1],
                endpoint_url=there.aws,
                aws_access_key_id=there.aws_key,
                aws_secret_access_key=there.aws_secret,
            )
        return _clients[key]


def ask(subject: Subject, service: str, operation: str, what: str = "", **arguments: Any) -> Values:
    """Make one call; an error reads as the official plugin words it."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    region = arguments.pop("region", None)
    try:
        return dict(getattr(_client(subject, service, region), operation)(**arguments) or {})
    except ClientError as error:
        raise _worded(error, service, what) from error
    except BotoCoreError as error:
        clouds.forget(subject)
        raise Upstream(f"{what}{error}") from error


def _worded(error: Any, service: str, what: str) -> Upstream:
    meta, told = error.response.get("ResponseMetadata", {}), error.response.get("Error", {})
    request = f"https response error StatusCode: {meta.get('HTTPStatusCode')}, RequestID: {meta.get('RequestId', '')}"
    name = {"s3": "S3", "iam": "IAM"}[service]
    code, message = told.get("Code", ""), told.get("Message", "")
    answer = Upstream(f"{what}operation error {name}: {error.operation_name}, {request}, api error {code}: {message}")
    answer.code = code
    return answer


def _there(subject: Subject, service: str, operation: str, **arguments: Any) -> Values | None:
    try:
        return ask(subject, service, operation, "reading: ", **arguments)
    except Upstream as error:
        if any(word in error.code for word in _GONE):
            return None
        raise


def theirs(value: Any) -> Any:
    """Write settings as the API does: daysAfterInitiation becomes DaysAfterInitiation."""
    if isinstance(value, dict):
        return {_THEIRS.get(k, k[0].upper() + k[1:]): theirs(v) for k, v in value.items() if not k.startswith("__")}
    return [theirs(item) for item in value] if isinstance(value, list) else value


def ours(value: Any) -> Any:
    """Write what the API answers as the plugin does."""
    if isinstance(value, dict):
        return {_OURS.get(key, key[0].lower() + key[1:]): ours(item) for key, item in value.items()}
    return [ours(item) for item in value] if isinstance(value, list) else value


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
        answer = _there(subject, "s3", f"get_{row.name}", region=state.get("region"), Bucket=identity)
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
            if not any(word in error.code for word in _GONE):
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


class Tagged(InCloud):
    """What carries tags: the provider's own are added, and only there."""

    def _all_tags(self, subject: Subject, given: Values) -> dict[str, str]:
        default = (subject.settings.get("defaultTags") or {}).get("tags") or {}
        return {**default, **(given.get("tags") or {})}

    def _tag_list(self, subject: Subject, given: Values) -> list[Values]:
        return [{"Key": key, "Value": value} for key, value in sorted(self._all_tags(subject, given).items())]

    def _tags_there(self, subject: Subject, state: Values, found: list[Values]) -> Values:
        everything = {tag["Key"]: tag["Value"] for tag in found}
        default, own = self._all_tags(subject, {}), state.get("tags") or {}
        shown = {key: value for key, value in everything.items() if key in own or default.get(key) != value}
        return {"tags": shown, "tagsAll": everything} if shown or own else {"tagsAll": everything}

    def _outputs(self, subject: Subject, identity: str, given: Values, answer: Values) -> Values:
        return {**super()._outputs(subject, identity, given, answer), "tagsAll": self._all_tags(subject, given)}


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
        if tags := self._tag_list(subject, given):
            ask(subject, "s3", "put_bucket_tagging", what, Bucket=given["bucket"], Tagging={"TagSet": tags})
        else:
            ask(subject, "s3", "delete_bucket_tagging", what, Bucket=given["bucket"])

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        self._tag(subject, given)
        return {}

    def imported(self, subject: Subject, identity: str) -> Values:
        return {"id": identity, "bucket": identity}

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        if _there(subject, "s3", "head_bucket", Bucket=identity) is None:
            return None
        tags = _there(subject, "s3", "get_bucket_tagging", Bucket=identity) or {"TagSet": []}
        lock = _there(subject, "s3", "get_object_lock_configuration", Bucket=identity)
        place = ask(subject, "s3", "get_bucket_location", Bucket=identity).get("LocationConstraint") or "us-east-1"
        told = {"bucket": identity, "region": place, "objectLockEnabled": lock is not None}
        return {**told, **self._tags_there(subject, state, tags["TagSet"])}

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        name = str(given.get("bucket", ""))
        return name if _there(subject, "s3", "head_bucket", Bucket=name) is not None else None

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        if _there(subject, "s3", "head_bucket", Bucket=identity) is None:
            return
        if state.get("forceDestroy"):
            self._empty(subject, identity)
        ask(subject, "s3", "delete_bucket", f"deleting S3 Bucket ({identity}): ", Bucket=identity)

    def _empty(self, subject: Subject, name: str) -> None:
        pages = _client(subject, "s3").get_paginator("list_object_versions").paginate(Bucket=name)
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
        found = _there(subject, "s3", "head_object", Bucket=state["bucket"], Key=state["key"])
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
        for page in _client(subject, "s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
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


@dataclass(frozen=True)
class Identity:
    """One type of IAM: its calls, and the arguments that name it."""

    noun: str
    create: str
    get: str
    delete: str
    named: dict[str, str]  # argument of get and delete, property
    given: dict[str, str]  # further arguments of create
    answer: str = ""  # where create's and get's answer has it
    id: str = ""
    update: str = ""


class Iam(Tagged):
    """A user, a policy, an attachment or a key."""

    def __init__(self, row: Identity) -> None:
        self.row = row

    def _arguments(self, names: dict[str, str], values: Values) -> Values:
        return {argument: values[name] for argument, name in names.items() if values.get(name) is not None}

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        row, what = self.row, f"creating IAM {self.row.noun} ({given.get('name') or given.get('user')}): "
        arguments = self._arguments({**row.named, **row.given}, given)
        if "tags" in subject.schema["inputs"] and self._all_tags(subject, given):
            arguments["Tags"] = self._tag_list(subject, given)
        if row.noun == "Policy":
            arguments.pop("PolicyArn", None)
        answer = ask(subject, "iam", row.create, what, **arguments)
        told = self._told(answer.get(row.answer, {}))
        return row.id.format(**{**given, **told}), told

    def _told(self, found: Values) -> Values:
        names = {
            "Arn": "arn",
            "UserId": "uniqueId",
            "PolicyId": "policyId",
            "SecretAccessKey": "secret",
            "Path": "path",
        }
        names |= {"AccessKeyId": "id", "Status": "status", "Description": "description"}
        return {**{mine: found[name] for name, mine in names.items() if name in found}, **self._created(found)}

    def _created(self, found: Values) -> Values:
        return {"createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")} if "CreateDate" in found else {}

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        row, what = self.row, f"updating IAM {self.row.noun} ({identity}): "
        if row.update == "put":
            return self.make(subject, given)[1]
        if row.noun == "Policy":
            document = given["policy"]
            ask(
                subject,
                "iam",
                "create_policy_version",
                what,
                PolicyArn=identity,
                PolicyDocument=document,
                SetAsDefault=True,
            )
        elif row.noun == "Access Key":
            ask(
                subject,
                "iam",
                "update_access_key",
                what,
                UserName=given["user"],
                AccessKeyId=identity,
                Status=given["status"],
            )
        elif row.noun == "User":
            self._change_user(subject, old, given, what)
        return {}

    def _change_user(self, subject: Subject, old: Values, given: Values, what: str) -> None:
        names = {"NewUserName": given["name"], "NewPath": given.get("path", "/")}
        if (old.get("name"), old.get("path", "/")) != (given["name"], given.get("path", "/")):
            ask(subject, "iam", "update_user", what, UserName=old["name"], **names)
        gone = sorted(set(old.get("tagsAll") or {}) - set(self._all_tags(subject, given)))
        if gone:
            ask(subject, "iam", "untag_user", what, UserName=given["name"], TagKeys=gone)
        ask(subject, "iam", "tag_user", what, UserName=given["name"], Tags=self._tag_list(subject, given))

    def imported(self, subject: Subject, identity: str) -> Values:
        first, _, second = identity.partition(":" if self.row.noun == "User Policy" else "/")
        return {
            "User": {"id": identity, "name": identity},
            "User Policy": {"id": identity, "user": first, "name": second},
            "Policy": {"id": identity, "arn": identity},
            "User Policy Attachment": {"id": identity, "user": first, "policyArn": second},
            "Access Key": {"id": identity},
        }[self.row.noun]

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        row = self.row
        if row.noun == "Access Key":
            return self._look_for_key(subject, identity, state)
        if row.noun == "User Policy Attachment":
            return self._look_for_attachment(subject, state)
        found = _there(subject, "iam", row.get, **self._arguments(row.named, {"arn": identity, **state}))
        if found is None:
            return None
        told = found.get(row.answer, found)
        seen = {**self._told(told), **{mine: told[name] for name, mine in row.named.items() if name in told}}
        if "PolicyDocument" in told:
            seen["policy"] = json.dumps(told["PolicyDocument"])
        if row.noun == "Policy":
            seen |= {"name": told["PolicyName"], **self._document(subject, identity, told["DefaultVersionId"])}
        return (
            {**seen, **self._tags_there(subject, state, told.get("Tags", []))}
            if "tags" in subject.schema["inputs"]
            else seen
        )

    def _document(self, subject: Subject, arn: str, version: str) -> Values:
        found = ask(subject, "iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        return {"policy": json.dumps(found["PolicyVersion"]["Document"])}

    def _look_for_key(self, subject: Subject, identity: str, state: Values) -> Values | None:
        user = state.get("user") or ask(subject, "iam", "get_access_key_last_used", AccessKeyId=identity)["UserName"]
        listed = _there(subject, "iam", "list_access_keys", UserName=user) or {"AccessKeyMetadata": []}
        found = [key for key in listed["AccessKeyMetadata"] if key["AccessKeyId"] == identity]
        return {"user": user, **self._told(found[0])} if found else None

    def _look_for_attachment(self, subject: Subject, state: Values) -> Values | None:
        listed = _there(subject, "iam", "list_attached_user_policies", UserName=state["user"]) or {
            "AttachedPolicies": []
        }
        known = {policy["PolicyArn"] for policy in listed["AttachedPolicies"]}
        return {"user": state["user"], "policyArn": state["policyArn"]} if state["policyArn"] in known else None

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        if self.row.noun == "Access Key":
            self._forget_keys(subject, str(given["user"]), taken)
            return None
        known = {"path": "/", "arn": f"arn:aws:iam::{ACCOUNT}:policy/{given.get('name')}", **given}
        identity = self.row.id.format(**known)
        return identity if self.look(subject, identity, {**given, "id": identity}) else None

    def _forget_keys(self, subject: Subject, user: str, taken: Collection[str]) -> None:
        """A key's secret is told once: one that nobody has written down is of no use, and goes."""
        for key in (_there(subject, "iam", "list_access_keys", UserName=user) or {}).get("AccessKeyMetadata", ()):
            if key["AccessKeyId"] not in taken:
                ask(subject, "iam", "delete_access_key", UserName=user, AccessKeyId=key["AccessKeyId"])

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        row, what = self.row, f"deleting IAM {self.row.noun} ({identity}): "
        arguments = self._arguments(row.named, {**state, "id": identity})
        try:
            if row.noun == "Policy":
                for version in ask(subject, "iam", "list_policy_versions", what, **arguments)["Versions"]:
                    if not version["IsDefaultVersion"]:
                        ask(subject, "iam", "delete_policy_version", what, VersionId=version["VersionId"], **arguments)
            ask(subject, "iam", row.delete, what, **arguments)
        except Upstream as error:
            if error.code != "NoSuchEntity":
                raise


_IDENTITIES = {
    "User": Identity(
        "User", "create_user", "get_user", "delete_user", {"UserName": "name"}, {"Path": "path"}, "User", "{name}"
    ),
    "UserPolicy": Identity(
        "User Policy",
        "put_user_policy",
        "get_user_policy",
        "delete_user_policy",
        {"UserName": "user", "PolicyName": "name"},
        {"PolicyDocument": "policy"},
        id="{user}:{name}",
        update="put",
    ),
    "Policy": Identity(
        "Policy",
        "create_policy",
        "get_policy",
        "delete_policy",
        {"PolicyArn": "arn"},
        {"PolicyName": "name", "PolicyDocument": "policy", "Path": "path", "Description": "description"},
        "Policy",
        "{arn}",
    ),
    "UserPolicyAttachment": Identity(
        "User Policy Attachment",
        "attach_user_policy",
        "",
        "detach_user_policy",
        {"UserName": "user", "PolicyArn": "policyArn"},
        {},
        id="{user}/{policyArn}",
    ),
    "AccessKey": Identity(
        "Access Key",
        "create_access_key",
        "",
        "delete_access_key",
        {"UserName": "user", "AccessKeyId": "id"},
        {},
        "AccessKey",
        "{id}",
    ),
}


def _token(module: str, name: str) -> str:
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


ACTORS: dict[str, InCloud] = {
    **{_token("s3", name): BucketSetting(row) for name, row in _SETTINGS.items()},
    **{_token("iam", name): Iam(row) for name, row in _IDENTITIES.items()},
    _token("s3", "Bucket"): Bucket(),
    _token("s3", "BucketObjectv2"): Object(),
}
