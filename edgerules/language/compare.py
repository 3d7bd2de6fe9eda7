"""One comparison -> a test of a value that is neither missing nor unknown."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from edgerules.language import regex, wildcard
from edgerules.language.syntax import Compare, Text
from edgerules.language.unknown import UNKNOWN, Unknown

Test = Callable[[Any], "bool | Unknown"]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "contains": operator.contains,
}


def comparison_test(node: Compare) -> Test:
    """Strings compare byte by byte, addresses of different families are just unequal."""
    right = node.right.value
    if node.op in _ORDER:
        compare = _ORDER[node.op]
        return lambda value: compare(value, right)
    if node.op == "bitwise_and":
        assert isinstance(right, int)  # noqa: S101  # for the type checker
        return lambda value: value & right != 0
    assert isinstance(node.right, Text)  # noqa: S101  # for the type checker
    if node.op == "matches":
        return _regex(node.right.value)
    return wildcard.matcher(node.right.value, strict=node.op == "strict wildcard")


def _regex(pattern: bytes) -> Test:
    return regex.searcher(pattern) or (lambda value: UNKNOWN)
