"""Nothing travels in the clear: at the edge, to the origin, to the buckets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .frame import UNJUDGED, About, Finding, Resource, Rule, StackRule

ZONE_SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"

# Each zone setting with the values that keep TLS whole, and what any other value would mean.
SETTINGS = {
    "ssl": ({"strict"}, "Cloudflare would not verify the origin's certificate."),
    "min_tls_version": ({"1.2", "1.3"}, "visitors could be held to TLS 1.0 or 1.1."),
    "tls_1_3": ({"on", "zrt"}, "TLS 1.3 would be off."),
    "automatic_https_rewrites": ({"on"}, "pages would load parts of themselves without TLS."),
}


def setting_weakens_tls(resource: Resource) -> Iterator[Finding]:
    good, consequence = SETTINGS.get(resource.read("settingId"), (None, ""))
    value = resource.read("value")
    if good is not None and value is not UNJUDGED and value not in good:
        yield Finding("value", consequence)


def bucket_accepts_plain_http(resources: list[Resource]) -> Iterator[Finding]:
    """A bucket is judged by the policies of its stack; one whose policy is unknown is counted, not passed."""
    policies = [resource for resource in resources if resource.type == BUCKET_POLICY]
    for bucket in (resource for resource in resources if resource.type in BUCKETS):
        if not any(_denies_plain_http(policy, bucket) for policy in policies):
            yield Finding("policy", "the bucket answers without TLS.", bucket.urn)


def _denies_plain_http(policy: Resource, bucket: Resource) -> bool:
    if not _belongs_to(policy, bucket):
        return False
    text = policy.read("policy", default="{}")
    if text is UNJUDGED:
        return True
    return any(_is_tls_only(statement) for statement in _statements(text))


def _belongs_to(policy: Resource, bucket: Resource) -> bool:
    name, target = bucket.read("bucket"), policy.read("bucket")
    if name is UNJUDGED or target is UNJUDGED or name is None:
        return policy.name.startswith(bucket.name)
    return bool(name == target)


def _statements(text: Any) -> list[dict[str, Any]]:
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return []
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return [found] if isinstance(found, dict) else list(found)


def _is_tls_only(statement: dict[str, Any]) -> bool:
    resources = statement.get("Resource", [])
    covers = [resources] if isinstance(resources, str) else resources
    everything = any(arn.endswith("/*") for arn in covers) and any(not arn.endswith("/*") for arn in covers)
    condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Action") in ("s3:*", "*", ["s3:*"])
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and str(condition).lower() == "false"
        and everything
    )


RULES: list[Rule | StackRule] = [
    Rule(
        About(
            "tls-edge-settings",
            "Every hop from visitor to origin is encrypted and verified, or anyone on the way can read and change it.",
            "Set ssl to strict, min_tls_version to 1.2 or 1.3, and tls_1_3 and automatic_https_rewrites to on.",
            frameworks=("Mozilla 6.0", "Prowler zone_ssl_strict", "Prowler zone_min_tls_version_secure"),
        ),
        (ZONE_SETTING,),
        setting_weakens_tls,
    ),
    StackRule(
        About(
            "tls-buckets",
            "Without a policy that denies plain HTTP, S3 serves objects and accepts keys' signatures in the clear.",
            "Add a BucketPolicy that denies s3:* to all where aws:SecureTransport is false, on bucket and objects.",
            frameworks=("AWS FSBP S3.5", "CIS AWS 2.1.1", "KICS 4bc4dd4c"),
        ),
        bucket_accepts_plain_http,
    ),
]
