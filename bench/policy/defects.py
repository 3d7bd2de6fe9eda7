"""Planted defects, one at a time: what a pull request might get wrong, as inputs of a declared resource."""

from __future__ import annotations

import copy
import json
from typing import Any

Resource = tuple[str, str, dict[str, Any]]
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"}
# What is wrong, the type, the path, the value.
DEFECTS: list[tuple[str, str, str, Any]] = [
    ("bucket policy for everyone", "BucketPolicy", "policy", json.dumps({"Statement": [PUBLIC]})),
    ("public access block off", "BucketPublicAccessBlock", "restrictPublicBuckets", False),
    ("public ACLs allowed", "BucketPublicAccessBlock", "blockPublicAcls", False),
    ("versions suspended", "BucketVersioning", "versioningConfiguration.status", "Suspended"),
    ("object ACLs in force", "BucketOwnershipControls", "rule.objectOwnership", "ObjectWriter"),
    ("plain HTTP accepted", "BucketPolicy", "policy", json.dumps({"Statement": []})),
    ("CORS for every origin", "BucketCorsConfiguration", "corsRules.0.allowedOrigins", ["*"]),
    ("bucket deleted with its objects", "Bucket", "forceDestroy", True),
    ("backups deleted within days", "BucketLifecycleConfiguration", "rules.0.expiration", {"days": 3}),
    ("PostgreSQL open to the world", "Container", "ports.0.ip", "0.0.0.0"),  # noqa: S104 - the defect
    ("privileged container", "Container", "privileged", True),
    ("Docker socket mounted", "Container", "mounts.0.source", "/var/run/docker.sock"),
    ("password in the environment", "Container", "envs", ["POSTGRES_PASSWORD=hunter2hunter2"]),
    ("name not proxied", "DnsRecord", "proxied", False),
    ("TLS not strict", "ZoneSetting", "value", "flexible"),
    (
        "firewall rule lets everything through",
        "Ruleset",
        "rules.0",
        {"action": "skip", "expression": "true", "ref": "x"},
    ),
    ("secret in a command", "Command", "create", "PGPASSWORD=hunter2 psql"),
    ("download piped to a shell", "Command", "create", "curl https://get.example.com | sh"),
    ("host key not checked", "Command", "connection", {"host": "h", "user": "deploy"}),
    ("short password", "RandomPassword", "length", 12),
]


def planted(resources: list[Resource], kind: str, path: str, value: Any) -> list[Resource] | None:
    """The stack with the first resource of a kind broken; None where the stack declares none."""
    for index, (token, name, props) in enumerate(resources):
        if token.rpartition(":")[2] == kind and _fits(props, kind, path):
            broken = copy.deepcopy(props)
            _put(broken, path.split("."), value)
            return [*resources[:index], (token, name, broken), *resources[index + 1 :]]
    return None


def _fits(props: dict[str, Any], kind: str, path: str) -> bool:
    """The one that the defect is about, where several are of the kind."""
    if kind == "DnsRecord":
        return props.get("proxied") is True
    if kind == "ZoneSetting":
        return props.get("settingId") == "ssl"
    if kind == "Ruleset":
        return props.get("phase") == "http_request_firewall_custom"
    if path == "ports.0.ip":
        return any(port.get("internal") == 5432 for port in props.get("ports") or [])
    if path.startswith("rules.0.expiration"):
        return "backup" in str(props.get("bucket"))
    return True


def _put(place: Any, steps: list[str], value: Any) -> None:
    *way, last = steps
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
