"""Keys for one purpose each: whoever holds one reaches what it is for, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.storage.policies import Statement, document


@dataclass(frozen=True)
class BucketKeyArgs:
    user: str
    """The name of the IAM user, unique in the account."""
    statements: list[Statement]
    tags: Mapping[str, str]


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
            f"{name}-key", user=user.name, opts=pulumi.ResourceOptions(parent=self, depends_on=[policy])
        )
        self.id, self.secret = key.id, pulumi.Output.secret(key.secret)
        self.register_outputs({"id": self.id})


def application(bucket: str) -> list[Statement]:
    """Uploads are put, read and removed by the application; what the bucket is like is none of its business."""
    return [
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{bucket}/*",
        },
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
    ]
