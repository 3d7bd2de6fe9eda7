"""Sets of integers as sorted spans. Addresses are integers too: IPv6 stands beyond every IPv4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from edgerules.language.syntax import Call, Expr, Field

Span = tuple[int, int]
Spans = list[Span]

_LOW, _HIGH = -(2**200), 2**200
_V6 = 2**64

_DOMAINS = {
    "cf.bot_management.score": (1, 99),
    "cf.waf.score": (1, 100),
    "cf.threat_score": (0, 100),
    "cf.edge.server_port": (0, 65535),
    "http.response.code": (100, 999),
    "http.request.body.size": (0, _HIGH),
}
"""What the documentation of the field says about its values."""


def address(value: IPv4Address | IPv6Address) -> int:
    return int(value) if value.version == 4 else _V6 + int(value)


def domain(value: Expr) -> Spans:
    if isinstance(value, Call) and value.name == "len":
        return [(0, _HIGH)]
    return [_DOMAINS.get(value.name, (_LOW, _HIGH))] if isinstance(value, Field) else [(_LOW, _HIGH)]


def compared(op: str, point: int) -> Spans | None:
    """The spans for which `x op point` is true."""
    return {
        "eq": [(point, point)],
        "ne": without([(point, point)]),
        "lt": [(_LOW, point - 1)],
        "le": [(_LOW, point)],
        "gt": [(point + 1, _HIGH)],
        "ge": [(point, _HIGH)],
    }.get(op)


def union(parts: Iterable[Span]) -> Spans:
    merged: Spans = []
    for low, high in sorted(parts):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def both(one: Spans, other: Spans) -> Spans:
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return union((low, high) for low, high in met if low <= high)


def without(found: Spans) -> Spans:
    left: Spans = []
    start = _LOW
    for low, high in found:
        if start < low:
            left.append((start, low - 1))
        start = high + 1
    return [*left, (start, _HIGH)]


def of_list(items: Sequence[Any]) -> Spans | None:
    """The addresses or numbers of a named list; None for a list of texts."""
    parts: Spans = []
    for item in items:
        if isinstance(item, int):
            parts.append((item, item))
            continue
        try:
            network = ip_network(str(item), strict=False)
        except ValueError:
            return None
        parts.append((address(network[0]), address(network[-1])))
    return union(parts)
