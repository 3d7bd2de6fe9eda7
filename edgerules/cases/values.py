"""Field values as people write them, in the types of the evaluator."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from edgerules.tables.fields import fields
from edgerules.tables.kinds import Kind


class WrongValueError(ValueError):
    """A value that does not fit its field; `str()` says why, without the place."""


def field_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """`{"cf.client.bot": true}` -> the same for the evaluator."""
    return {name: field_value(name, value) for name, value in given.items()}


def field_value(name: str, value: Any) -> Any:
    """null means that the request has no such value; that is known, too."""
    entry = fields().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, fields(), n=1)
        raise WrongValueError(f"there is no field {name}{f'; did you mean {near[0]}' if near else ''}")
    if value is None:
        return None
    try:
        return _convert(value, entry.kind)
    except (ValueError, TypeError):
        raise WrongValueError(f"{name} is of the type {entry.kind}, and this value is not") from None


def _convert(value: Any, kind: Kind) -> Any:
    if kind.inner is not None and kind.is_array:
        return [_convert(item, kind.inner) for item in _of_type(value, list)]
    if kind.inner is not None:
        items = _of_type(value, dict).items()
        return {str(key).encode(): _convert(item, kind.inner) for key, item in items}
    if kind.is_text:
        return _of_type(value, str).encode("utf-8", "surrogateescape")
    if kind.name == "IP address":
        return ip_address(_of_type(value, str))
    if kind.name == "Boolean":
        return _of_type(value, bool)
    if isinstance(value, bool):
        raise TypeError
    return _of_type(value, int)


def _of_type(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value
