"""Buckets are private, and say so themselves."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from .frame import UNJUDGED, About, Finding, Resource, Rule, StackRule
from .tls import BUCKETS

ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
ENFORCED = "BucketOwnerEnforced"


def public_access_is_possible(resource: Resource) -> Iterator[Finding]:
    for name in BLOCKS:
        # S3's default for each of the four is false.
        if resource.read(name, default=False) is False:
            yield Finding(name, "the bucket could be made public.")


def acls_are_in_force(resource: Resource) -> Iterator[Finding]:
    ownership = resource.read("rule.objectOwnership")
    if ownership is not UNJUDGED and ownership != ENFORCED:
        yield Finding("rule.objectOwnership", "object ACLs would be in force beside the bucket's policy.")


def bucket_has_no_access_block(resources: list[Resource]) -> Iterator[Finding]:
    blocks = [resource for resource in resources if resource.type == ACCESS_BLOCK]
    for bucket in (resource for resource in resources if resource.type in BUCKETS):
        if not any(_is_about(block, bucket) for block in blocks):
            yield Finding("bucket", "no BucketPublicAccessBlock belongs to it.", bucket.urn)


def _is_about(block: Resource, bucket: Resource) -> bool:
    target, name = block.read("bucket"), bucket.read("bucket")
    if target is UNJUDGED or name is UNJUDGED or name is None:
        return block.name.startswith(bucket.name)
    return bool(target == name)


RULES: list[Rule | StackRule] = [
    Rule(
        About(
            "storage-public-access-block",
            "Uploads and database dumps must never be one ACL or policy away from being public.",
            "Set all four of blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true.",
            frameworks=("AWS FSBP S3.8", "CIS AWS 2.1.4", "CKV_AWS_53-56"),
        ),
        (ACCESS_BLOCK,),
        public_access_is_possible,
    ),
    StackRule(
        About(
            "storage-has-access-block",
            "A bucket without a public access block of its own depends on the account's setting.",
            "Declare a BucketPublicAccessBlock for it.",
            frameworks=("CKV2_AWS_6", "AWS FSBP S3.8"),
        ),
        bucket_has_no_access_block,
    ),
    Rule(
        About(
            "storage-no-acls",
            "ACLs are a second, older permission system that can grant what the policy denies.",
            "Set objectOwnership to BucketOwnerEnforced.",
            severity=Severity.MEDIUM,
            frameworks=("CKV2_AWS_65", "AWS FSBP S3.12"),
        ),
        (OWNERSHIP,),
        acls_are_in_force,
    ),
]
