"""Functions on arrays and maps, and those that make or join them."""

from __future__ import annotations

from typing import Any

from edgerules.language.functions.text import to_string
from edgerules.language.unknown import UNKNOWN, Unknown


def any_of(values: list[bool | Unknown]) -> bool | Unknown:
    if any(value is True for value in values):
        return True
    return UNKNOWN if any(value is UNKNOWN for value in values) else False


def all_of(values: list[bool | Unknown]) -> bool | Unknown:
    """True for an empty array: no element speaks against it."""
    if any(value is False for value in values):
        return False
    return UNKNOWN if any(value is UNKNOWN for value in values) else True


def concat(*values: Any) -> Any:
    """Missing values are left out; the result is missing only if all of them are."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    if isinstance(present[0], list):
        return [item for value in present for item in value]
    return b"".join(value if isinstance(value, bytes) else to_string(value) for value in present)


def has_key(mapping: dict[bytes, Any], key: bytes) -> bool:
    return key in mapping


def has_value(collection: Any, value: Any) -> bool:
    """In a map of arrays, a value of any of the arrays counts."""
    items = collection.values() if isinstance(collection, dict) else collection
    return any(value in item if isinstance(item, list) else value == item for item in items)


def join(items: list[bytes], separator: bytes) -> bytes:
    return separator.join(items)


def split(source: bytes, separator: bytes, limit: int) -> list[bytes]:
    """At most `limit` parts; the last one holds the rest."""
    return source.split(separator, limit - 1)
