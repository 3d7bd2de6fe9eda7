"""What the embedded clouds hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OBJECTS = "home/clouds"
# How a state file marks a secret, whose value it keeps encrypted.
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105


def find_in_rehearsal(workspace: Path, operation: Mapping[str, Any], taken: frozenset[str]) -> str | None:
    """The id of what was made from these inputs and is nobody else's; what is secret cannot be compared."""
    wanted = operation.get("inputs", {})
    readable = {key: value for key, value in wanted.items() if not key.startswith("__") and not is_secret(value)}
    for file in sorted((workspace / OBJECTS).rglob("*.json")):
        kept = json.loads(file.read_text())
        if kept["type"] != operation["type"] or kept["id"] in taken:
            continue
        if all(kept["inputs"].get(key) == value for key, value in readable.items()):
            return str(kept["id"])
    return None


def is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and SECRET_MARK in value


def published(workspace: Path, bucket: str, key: str) -> str | None:
    """The content of one object in one of the rehearsal's buckets."""
    for file in sorted((workspace / OBJECTS).rglob("*.json")):
        kept = json.loads(file.read_text())
        if (kept["inputs"].get("bucket"), kept["inputs"].get("key")) == (bucket, key):
            return str(kept["inputs"]["content"])
    return None
