"""A stack's S3 and IAM resources as a Terraform plan, so that Checkov can judge the same thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Where Terraform names a resource otherwise than by its Pulumi token.
NAMES = {
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "aws_s3_bucket_replication_configuration",
}
# Blocks that are lists of one in Terraform, and lists whose name is singular there.
BLOCKS = (
    "abortIncompleteMultipartUpload",
    "applyServerSideEncryptionByDefault",
    "expiration",
    "filter",
    "noncurrentVersionExpiration",
    "rule",
    "versioningConfiguration",
)
SINGULAR = {"rules": "rule", "corsRules": "cors_rule", "transitions": "transition", "grants": "grant"}


def terraform_type(token: str) -> str:
    module, _, name = token.partition("/")[0].rpartition(":")[2], "", token.rpartition(":")[2]
    return NAMES.get(token, f"aws_{module}_{snake(name)}")


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def values(props: Any) -> Any:
    if isinstance(props, list):
        return [values(each) for each in props]
    if not isinstance(props, Mapping):
        return props
    rendered = {}
    for key, value in props.items():
        if key.startswith("__"):
            continue
        block = key in BLOCKS and isinstance(value, Mapping)
        rendered[SINGULAR.get(key, snake(key))] = [values(value)] if block else values(value)
    return rendered


def plan(resources: Iterable[tuple[str, str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The plan of a stack: what `terraform show -json` prints, as far as Checkov reads it."""
    planned = [_resource(*each) for each in resources if each[0].startswith("aws:")]
    changes = [{**_name(each), "change": _creation(each["values"])} for each in planned]
    configuration = [{**_name(each), "expressions": _references(each["address"], planned)} for each in planned]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configuration}},
    }


def _name(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: resource[key] for key in ("address", "mode", "type", "name")}


def _creation(after: Any) -> dict[str, Any]:
    return {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}


def _resource(token: str, name: str, props: Mapping[str, Any]) -> dict[str, Any]:
    kind, plain = terraform_type(token), re.sub(r"\W", "_", name)
    return {
        "address": f"{kind}.{plain}",
        "mode": "managed",
        "type": kind,
        "name": plain,
        "values": values(props),
    }


def _references(address: str, planned: list[dict[str, Any]]) -> dict[str, Any]:
    """Which bucket a resource belongs to: Checkov follows references, not names."""
    own = next(each for each in planned if each["address"] == address)
    for bucket in planned:
        same = own["values"].get("bucket") == bucket["values"].get("bucket")
        if bucket["type"] == "aws_s3_bucket" and own is not bucket and same:
            return {"bucket": {"references": [f"{bucket['address']}.id", bucket["address"]]}}
    return {}
