"""Buckets as S3 makes and names them today, and users as IAM lets them go: where moto is older or kinder."""

from __future__ import annotations

import re
from collections.abc import Callable

import moto.s3.models

from rehearsal.clouds.aws import backend
from rehearsal.clouds.aws.actions import Call
from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.wire import Request, Response

NAME = re.compile(r"(?!xn--|sthree-)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
GRANTS = "x-amz-grant-"
OWNER_ONLY = "bucket-owner-full-control"
ENCRYPTED = (
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>"
    "</ServerSideEncryptionConfiguration>"
)
OWNED = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
Ask = Callable[[str, Request], Response]


def check_name(call: Call, clock: Clock) -> None:
    name = str(call.bucket)
    if not NAME.fullmatch(name) or ADDRESS.fullmatch(name):
        raise AwsError(400, "InvalidBucketName", "The specified bucket is not valid.", BucketName=name)


def check_acl(call: Call, clock: Clock) -> None:
    """Where the owner owns everything there are no ACLs, except the one that says so."""
    found, headers = backend.bucket(call.bucket), call.request.headers
    if found is None or not _owned(found):
        return
    writes_acl = call.operation in ("PutBucketAcl", "PutObjectAcl")
    asked = headers.get("x-amz-acl")
    grants = any(name.startswith(GRANTS) for name in headers)
    if grants or (asked not in (None, OWNER_ONLY)) or (writes_acl and asked != OWNER_ONLY):
        raise AwsError(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")


def _owned(bucket: object) -> bool:
    return "BucketOwnerEnforced" in str(getattr(bucket, "ownership_rule", ""))


def as_new(call: Call, clock: Clock, ask: Ask) -> None:
    """As S3 makes buckets since April 2023: encrypted, nothing public, no ACLs."""
    found = backend.bucket(call.bucket)
    if found is None:
        return
    found.creation_date = clock.now()
    found.public_access_block = moto.s3.models.PublicAccessBlock("true", "true", "true", "true")
    encrypt(call, ask)
    if found.ownership_rule is None:
        ask("s3", _put(call, "ownershipControls", OWNED))


def encrypt(call: Call, ask: Ask) -> None:
    """Every bucket is encrypted; deleting the configuration brings back the default."""
    ask("s3", _put(call, "encryption", ENCRYPTED))


def _put(call: Call, part: str, body: str) -> Request:
    return Request("PUT", f"/{call.bucket}?{part}", {"host": "127.0.0.1"}, body.encode())


def refuse_deletion_of_user(name: str) -> None:
    """Moto lets users go who still have keys or groups; those keys would work for nobody."""
    user = backend.iam().users.get(name)
    if user is None:
        return
    held = {
        "must delete access keys first": user.access_keys,
        "must remove users from group first": [group for group in backend.iam().groups.values() if user in group.users],
    }
    for what, things in held.items():
        if things:
            raise AwsError(409, "DeleteConflict", f"Cannot delete entity, {what}.")
