"""Which operation a request is, and which permissions it needs: tables of S3's sub-resources and of IAM's actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from rehearsal.clouds.aws import backend
from rehearsal.clouds.aws.backend import ACCOUNT
from rehearsal.clouds.wire import Request

BUCKET = "arn:aws:s3:::"
READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Need:
    """One permission that a call requires."""

    action: str
    resource: str


@dataclass(frozen=True)
class Call:
    service: str
    operation: str
    request: Request = field(repr=False)
    needs: tuple[Need, ...]
    bucket: str | None = None
    key: str | None = None
    version: str | None = None
    changes: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


# sub-resource of a bucket: what it is called, with the permissions to read and to write it
BUCKET_PARTS = {
    "acl": ("BucketAcl", "GetBucketAcl", "PutBucketAcl"),
    "accelerate": ("BucketAccelerateConfiguration", "GetAccelerateConfiguration", "PutAccelerateConfiguration"),
    "analytics": ("BucketAnalyticsConfiguration", "GetAnalyticsConfiguration", "PutAnalyticsConfiguration"),
    "cors": ("BucketCors", "GetBucketCORS", "PutBucketCORS"),
    "encryption": ("BucketEncryption", "GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    "intelligent-tiering": (
        "BucketIntelligentTieringConfiguration",
        "GetIntelligentTieringConfiguration",
        "PutIntelligentTieringConfiguration",
    ),
    "inventory": ("BucketInventoryConfiguration", "GetInventoryConfiguration", "PutInventoryConfiguration"),
    "lifecycle": ("BucketLifecycleConfiguration", "GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("BucketLocation", "GetBucketLocation", ""),
    "logging": ("BucketLogging", "GetBucketLogging", "PutBucketLogging"),
    "metrics": ("BucketMetricsConfiguration", "GetMetricsConfiguration", "PutMetricsConfiguration"),
    "notification": ("BucketNotificationConfiguration", "GetBucketNotification", "PutBucketNotification"),
    "object-lock": (
        "ObjectLockConfiguration",
        "GetBucketObjectLockConfiguration",
        "PutBucketObjectLockConfiguration",
    ),
    "ownershipControls": ("BucketOwnershipControls", "GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    "policy": ("BucketPolicy", "GetBucketPolicy", "PutBucketPolicy"),
    "policyStatus": ("BucketPolicyStatus", "GetBucketPolicyStatus", ""),
    "publicAccessBlock": ("PublicAccessBlock", "GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "replication": ("BucketReplication", "GetReplicationConfiguration", "PutReplicationConfiguration"),
    "requestPayment": ("BucketRequestPayment", "GetBucketRequestPayment", "PutBucketRequestPayment"),
    "tagging": ("BucketTagging", "GetBucketTagging", "PutBucketTagging"),
    "uploads": ("MultipartUploads", "ListBucketMultipartUploads", ""),
    "versioning": ("BucketVersioning", "GetBucketVersioning", "PutBucketVersioning"),
    "versions": ("ObjectVersions", "ListBucketVersions", ""),
    "website": ("BucketWebsite", "GetBucketWebsite", "PutBucketWebsite"),
}
OWN_DELETE = {"policy": "DeleteBucketPolicy", "website": "DeleteBucketWebsite"}
OBJECT_PARTS = {
    "acl": ("ObjectAcl", "GetObjectAcl", "PutObjectAcl"),
    "attributes": ("ObjectAttributes", "GetObjectAttributes", ""),
    "legal-hold": ("ObjectLegalHold", "GetObjectLegalHold", "PutObjectLegalHold"),
    "retention": ("ObjectRetention", "GetObjectRetention", "PutObjectRetention"),
    "tagging": ("ObjectTagging", "GetObjectTagging", "PutObjectTagging"),
}
OF_A_VERSION = {
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
}
# header of a PUT of an object: the further permission that it needs
WITH_HEADER = {
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
BYPASS = "x-amz-bypass-governance-retention"
POSTS = {"uploads": "CreateMultipartUpload", "uploadId": "CompleteMultipartUpload", "restore": "RestoreObject"}
VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}


def s3_call(request: Request) -> Call:
    bucket, _, key = request.path.removeprefix("/").partition("/")
    if not bucket:
        return Call("s3", "ListBuckets", request, (Need("s3:ListAllMyBuckets", "*"),))
    version = request.query.get("versionId")
    operation, needs = _object(request, bucket, key, version) if key else _bucket(request, bucket)
    changes = request.method not in READS and operation != "DeleteObjects"
    return Call("s3", operation, request, tuple(needs), bucket, key or None, version, changes)


def _bucket(request: Request, bucket: str) -> tuple[str, list[Need]]:
    arn, method = BUCKET + bucket, request.method
    part = next((name for name in BUCKET_PARTS if name in request.query), None)
    if part is not None:
        name, read, write = BUCKET_PARTS[part]
        action = read if method in READS else OWN_DELETE.get(part, write) if method == "DELETE" else write
        verb = "List" if part in ("uploads", "versions") else VERBS[method]
        return f"{verb}{name}", [Need(f"s3:{action}", arn)]
    if method == "POST" and "delete" in request.query:
        return "DeleteObjects", []
    plain = {
        "GET": ("ListObjectsV2" if request.query.get("list-type") == "2" else "ListObjects", "s3:ListBucket"),
        "HEAD": ("HeadBucket", "s3:ListBucket"),
        "PUT": ("CreateBucket", "s3:CreateBucket"),
        "DELETE": ("DeleteBucket", "s3:DeleteBucket"),
    }
    operation, action = plain.get(method, ("PostObject", "s3:PutObject"))
    return operation, [Need(action, arn)]


def _object(request: Request, bucket: str, key: str, version: str | None) -> tuple[str, list[Need]]:
    arn, method, query = f"{BUCKET}{bucket}/{key}", request.method, request.query
    part = next((name for name in OBJECT_PARTS if name in query), None)
    if part is not None:
        name, read, write = OBJECT_PARTS[part]
        action = read if method in READS else "DeleteObjectTagging" if method == "DELETE" else write
        return f"{VERBS[method]}{name}", [Need(_action(action, version), arn), *_bypass(request, arn)]
    if method == "POST":
        operation = next((POSTS[name] for name in POSTS if name in query), "SelectObjectContent")
        action = {"RestoreObject": "RestoreObject", "SelectObjectContent": "GetObject"}.get(operation, "PutObject")
        return operation, [Need(f"s3:{action}", arn), *(_extras(request, arn) if operation != "RestoreObject" else ())]
    if "uploadId" in query and method in ("GET", "DELETE"):
        listed = method == "GET"
        action = "s3:ListMultipartUploadParts" if listed else "s3:AbortMultipartUpload"
        return ("ListParts" if listed else "AbortMultipartUpload"), [Need(action, arn)]
    if method == "PUT":
        return _put(request, arn)
    if method == "DELETE":
        return "DeleteObject", [Need(_action("DeleteObject", version), arn), *_bypass(request, arn)]
    return ("HeadObject" if method == "HEAD" else "GetObject"), [Need(_action("GetObject", version), arn)]


def _put(request: Request, arn: str) -> tuple[str, list[Need]]:
    needs = [Need("s3:PutObject", arn), *_extras(request, arn)]
    source = copy_source(request)
    part = "partNumber" in request.query
    if source is None:
        return ("UploadPart" if part else "PutObject"), needs
    bucket, key, version = source
    needs.append(Need(_action("GetObject", version), f"{BUCKET}{bucket}/{key}"))
    return ("UploadPartCopy" if part else "CopyObject"), needs


def copy_source(request: Request) -> tuple[str, str, str | None] | None:
    """Bucket, key and version that a copy is made of."""
    header = request.headers.get("x-amz-copy-source")
    if header is None:
        return None
    path, _, version = header.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return bucket, key, version or None


def _extras(request: Request, arn: str) -> Iterator[Need]:
    yield from (Need(action, arn) for action in sorted({WITH_HEADER[h] for h in WITH_HEADER if h in request.headers}))


def _bypass(request: Request, arn: str) -> Iterator[Need]:
    if request.headers.get(BYPASS, "").lower() == "true":
        yield Need("s3:BypassGovernanceRetention", arn)


def _action(name: str, version: str | None) -> str:
    return f"s3:{OF_A_VERSION.get(name, name) if version else name}"


QUERY_READS = ("Get", "List", "Simulate")
# parameter of a call to IAM: the kind of thing that it names
IAM_THINGS = (("PolicyArn", ""), ("UserName", "user"), ("GroupName", "group"), ("RoleName", "role"))
ABOUT_ONESELF = frozenset(
    ["GetUser", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "ListAccessKeys", "ChangePassword"]
)


def query_call(service: str, request: Request, own_name: str) -> Call:
    """A call to IAM or STS. Without a user name some of them mean the caller."""
    parameters = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    parameters |= request.query
    operation = parameters.get("Action", "")
    if operation in ABOUT_ONESELF and own_name:
        parameters.setdefault("UserName", own_name)
    need = Need(f"{service}:{operation}", _thing(parameters))
    return Call(service, operation, request, (need,), changes=not operation.startswith(QUERY_READS))


def _thing(parameters: dict[str, str]) -> str:
    attached = "UserName" in parameters or "GroupName" in parameters or "RoleName" in parameters
    for name, kind in IAM_THINGS:
        if name not in parameters or (name == "PolicyArn" and attached):
            continue
        if not kind:
            return parameters[name]
        return f"arn:aws:iam::{ACCOUNT}:{kind}{_path(kind, parameters)}{parameters[name]}"
    if "PolicyName" in parameters:
        return f"arn:aws:iam::{ACCOUNT}:policy{parameters.get('Path', '/')}{parameters['PolicyName']}"
    return "*"


def _path(kind: str, parameters: dict[str, str]) -> str:
    user = backend.iam().users.get(parameters["UserName"]) if kind == "user" else None
    return str(user.path) if user is not None else parameters.get("Path", "/")
