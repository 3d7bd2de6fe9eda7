"""lookup_json_*: one value out of a JSON document in a string."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

_INT64 = range(-(2**63), 2**63)


def lookup_json_string(document: bytes, *path: bytes | int) -> bytes | None:
    found = _lookup(document, path)
    return found.encode("utf-8", "surrogatepass") if isinstance(found, str) else None


def lookup_json_integer(document: bytes, *path: bytes | int) -> int | None:
    """Plain integers only: 42.0 is none."""
    found = _lookup(document, path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found in _INT64 else None


def _lookup(document: bytes, path: tuple[bytes | int, ...]) -> Any:
    value = _parse(document)
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and 0 <= key < len(value) else None
        else:
            name = key.decode("utf-8", "surrogateescape")
            value = value.get(name) if isinstance(value, dict) else None
    return value


@lru_cache(maxsize=64)
def _parse(document: bytes) -> Any:
    """The parsed document (shared, so never change it), or None where it is no valid JSON."""
    try:
        return json.loads(document.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
