"""Sets and lists: one fast test per type, over values and ranges together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from edgerules.language.syntax import (
    AddressLiteral,
    AddressRange,
    IntRange,
    Number,
    SetItem,
    Text,
)
from edgerules.tables.kinds import INTEGER, IP, Kind

Test = Callable[[Any], bool]
Span = tuple[int, int]


def set_test(items: tuple[SetItem, ...]) -> Test:
    """Whether a value is in an inline set. All items are of one type: the checker saw to that."""
    if isinstance(items[0], Text):
        return _texts(item.value for item in items if isinstance(item, Text))
    if isinstance(items[0], (Number, IntRange)):
        return _integers(_int_span(item) for item in items)
    return _addresses(_address_span(item) for item in items)


def list_test(name: str, kind: Kind, items: Iterable[str | int]) -> Test:
    """Whether a value is in a named list, given as text or numbers. Raises ValueError for a wrong item."""
    if kind == IP:
        return _addresses(_network_span(name, str(item)) for item in items)
    if kind == INTEGER:
        return _integers(_number_span(name, item) for item in items)
    return _texts(str(item).encode("utf-8") for item in items)


def _texts(values: Iterable[bytes]) -> Test:
    return frozenset(values).__contains__


def _integers(spans: Iterable[Span]) -> Test:
    known = list(spans)
    if all(low == high for low, high in known):
        return frozenset(low for low, _ in known).__contains__
    return _ranges(known)


def _addresses(spans: Iterable[tuple[int, Span]]) -> Test:
    known = list(spans)
    in_v4 = _ranges([span for version, span in known if version == 4])
    in_v6 = _ranges([span for version, span in known if version == 6])
    return lambda address: in_v4(int(address)) if address.version == 4 else in_v6(int(address))


def _ranges(spans: list[Span]) -> Test:
    """Bisection over merged ranges: a list of ten thousand networks costs no more than a set of three."""
    lows, highs = _merged(spans)

    def contains(value: int) -> bool:
        index = bisect_right(lows, value) - 1
        return index >= 0 and value <= highs[index]

    return contains


def _merged(spans: list[Span]) -> tuple[list[int], list[int]]:
    lows: list[int] = []
    highs: list[int] = []
    for low, high in sorted(spans):
        if highs and low <= highs[-1]:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)
    return lows, highs


def _int_span(item: SetItem) -> Span:
    if isinstance(item, IntRange):
        return item.first, item.last
    assert isinstance(item, Number)  # noqa: S101  # for the type checker
    return item.value, item.value


def _address_span(item: SetItem) -> tuple[int, Span]:
    if isinstance(item, AddressRange):
        return item.first.version, (int(item.first), int(item.last))
    assert isinstance(item, AddressLiteral)  # noqa: S101  # for the type checker
    return item.value.version, (int(item.value), int(item.value))


def _network_span(name: str, text: str) -> tuple[int, Span]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"list {name}: {text} is no IP address or network") from None
    first: IPv4Address | IPv6Address = network.network_address
    return first.version, (int(first), int(network.broadcast_address))


def _number_span(name: str, item: str | int) -> Span:
    try:
        return int(item), int(item)
    except ValueError:
        raise ValueError(f"list {name}: {item} is no integer") from None
