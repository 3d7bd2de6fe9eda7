"""Keys for one purpose each: whoever holds one reaches what it is for, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.credentials.versions import versioned
from components.storage.policies import Statement, document, no_overwriting


@dataclass(frozen=True)
class BucketKeyArgs:
    user: str
    """The name of the IAM user, unique in the account."""
    statements: list[Statement]
    tags: Mapping[str, str]
    generation: int = 1
    """Of the key: another one is made beside the one before, which goes last."""


@dataclass(frozen=True)
class BroughtKey:
    """One that its owner has made, for a store that is not AWS's."""

    id: pulumi.Output[str]
    secret: pulumi.Output[str]


class BucketKey(pulumi.ComponentResource):
    """An IAM user without a password and with one key."""

    id: pulumi.Output[str]
    secret: pulumi.Output[str]

    def __init__(self, name: str, args: BucketKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:BucketKey", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        user = aws.iam.User(f"{name}-user", name=args.user, tags=dict(args.tags), opts=mine)
        policy = aws.iam.UserPolicy(f"{name}-policy", user=user.name, policy=document(args.statements), opts=mine)
        # A key that comes before its rights would be refused for a moment by whoever gets it first.
        key = aws.iam.AccessKey(
            versioned(f"{name}-key", args.generation),
            user=user.name,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.id, self.secret = key.id, pulumi.Output.secret(key.secret)
        self.register_outputs({"id": self.id})


def application(bucket: str) -> list[Statement]:
    """Uploads are put, read and removed by the application; what the bucket is like is none of its business."""
    objects = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    return [
        {"Sid": "Objects", "Effect": "Allow", "Action": objects, "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        nothing_but([*objects, "s3:ListBucket"]),
    ]


def backup(bucket: str, prefix: str) -> list[Statement]:
    """Dumps are added and read, also from the archive. Nothing that is there can be removed, replaced or shortened in
    its life: a new object has to be announced as new (If-None-Match: *), which S3 refuses if there is one.
    """
    dumps, whole = f"arn:aws:s3:::{bucket}/{prefix}*", f"arn:aws:s3:::{bucket}"
    reads = ["s3:GetObject", "s3:GetObjectVersion", "s3:RestoreObject"]
    uploads = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    lists = ["s3:ListBucket", "s3:ListBucketVersions"]
    below = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    return [
        {"Sid": "Read", "Effect": "Allow", "Action": reads, "Resource": dumps},
        {"Sid": "Add", "Effect": "Allow", "Action": uploads, "Resource": dumps},
        {"Sid": "List", "Effect": "Allow", "Action": lists, "Resource": whole, "Condition": below},
        no_overwriting(dumps),
        nothing_but([*reads, *uploads, *lists]),
    ]


def nothing_but(actions: Sequence[str]) -> Statement:
    """Whatever else is attached to the user one day, this is all that the key can do."""
    return {"Sid": "NothingElse", "Effect": "Deny", "NotAction": sorted(actions), "Resource": "*"}
