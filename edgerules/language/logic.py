"""Three-valued logic: false and unknown is false, true or unknown is true, the rest stays unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgerules.language.unknown import UNKNOWN, Unknown

Truth = bool | Unknown
Condition = Callable[[Mapping[str, Any]], Truth]
Truths = Callable[[Mapping[str, Any]], "list[Truth]"]


def negate(value: Truth) -> Truth:
    return UNKNOWN if value is UNKNOWN else not value


def conjunction(parts: list[Condition]) -> Condition:
    def decide(request: Mapping[str, Any]) -> Truth:
        result: Truth = True
        for part in parts:
            value = part(request)
            if value is False:
                return False
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return decide


def disjunction(parts: list[Condition]) -> Condition:
    def decide(request: Mapping[str, Any]) -> Truth:
        result: Truth = False
        for part in parts:
            value = part(request)
            if value is True:
                return True
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return decide


def exclusive(parts: list[Condition]) -> Condition:
    """True for an odd number of true parts, which is what a chain of xor comes to."""

    def decide(request: Mapping[str, Any]) -> Truth:
        odd = False
        for part in parts:
            value = part(request)
            if value is UNKNOWN:
                return UNKNOWN
            odd ^= value is True
        return odd

    return decide


COMBINE: dict[str, Callable[[list[Condition]], Condition]] = {
    "and": conjunction,
    "or": disjunction,
    "xor": exclusive,
}


def elementwise(op: str, parts: list[Truths]) -> Truths:
    """The same over arrays of truths, element by element, as long as the shortest."""

    def decide(request: Mapping[str, Any]) -> list[Truth]:
        rows = zip(*(part(request) for part in parts), strict=False)
        return [COMBINE[op]([_constant(value) for value in row])(request) for row in rows]

    return decide


def _constant(value: Truth) -> Condition:
    return lambda request: value
