"""A second region: S3 copies every new object of a bucket into another one, by a role that can do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.storage.bucket import PrivateBucket
from components.storage.policies import Statement, document


@dataclass(frozen=True)
class ReplicationArgs:
    source: PrivateBucket
    target: PrivateBucket
    storage_class: str
    """Of the copies."""
    follow_deletions: bool
    """A copy of a backup stays when somebody deletes the original; a copy of an upload does not."""
    tags: Mapping[str, str]


class Replication(pulumi.ComponentResource):
    def __init__(self, name: str, args: ReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:Replication", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        source, target = args.source.args.bucket, args.target.args.bucket
        role = aws.iam.Role(
            f"{name}-role",
            name=replicator(source),
            assume_role_policy=document([assumed_for(source)]),
            tags=dict(args.tags),
            opts=mine,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=document(copying(source, target)),
            opts=mine,
        )
        # S3 refuses the configuration unless both buckets keep versions.
        ready = [policy, args.source.versioning, args.target.versioning]
        aws.s3.BucketReplicationConfig(
            f"{name}-rules",
            bucket=args.source.name,
            role=role.arn,
            rules=[rule(args)],
            opts=pulumi.ResourceOptions(parent=self, depends_on=ready),
        )
        self.register_outputs({})


def replicator(source: str) -> str:
    """A role's name has 64 characters at most, a bucket's 63."""
    return f"{source[:52]}-replication"


def rule(args: ReplicationArgs) -> aws.s3.BucketReplicationConfigRuleArgsDict:
    return {
        "id": "everything",
        "status": "Enabled",
        "priority": 0,
        "filter": {"prefix": ""},
        "delete_marker_replication": {"status": "Enabled" if args.follow_deletions else "Disabled"},
        "destination": {"bucket": args.target.arn, "storage_class": args.storage_class},
    }


def assumed_for(source: str) -> Statement:
    """By S3, for this bucket only: another bucket's owner could otherwise have our role used for theirs."""
    return {
        "Sid": "Replication",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{source}"}},
    }


def copying(source: str, target: str) -> list[Statement]:
    reads = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
    writes = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
    looks = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
    return [
        {"Sid": "Look", "Effect": "Allow", "Action": looks, "Resource": f"arn:aws:s3:::{source}"},
        {"Sid": "Read", "Effect": "Allow", "Action": reads, "Resource": f"arn:aws:s3:::{source}/*"},
        {"Sid": "Copy", "Effect": "Allow", "Action": writes, "Resource": f"arn:aws:s3:::{target}/*"},
    ]
