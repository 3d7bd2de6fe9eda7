"""Turn a checked expression into a closure that answers for one request after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from edgerules.language.syntax import Expr
from edgerules.language.unknown import Unknown

Scalar = bytes | int | bool | IPv4Address | IPv6Address
Request = Mapping[str, Any]
"""Field name -> value. Strings and bytes are `bytes`, map keys too (headers in lower case); arrays are lists,
maps are dicts. An absent name or None is a missing value; UNKNOWN is a value that nobody knows offline."""

Lists = Mapping[str, Iterable[str | int]]
"""List name (without $) -> items as text or numbers: "10.0.0.0/8", "example.com", 64496. A list that an
expression names and that is not here is UNKNOWN."""

Filter = Callable[[Request], bool | Unknown]
ValueOf = Callable[[Request], Any]


def compile_filter(expr: Expr, lists: Lists | None = None) -> Filter:
    """A function request -> True, False or UNKNOWN (three-valued: false and unknown is false)."""
    raise NotImplementedError


def compile_value(expr: Expr, lists: Lists | None = None) -> ValueOf:
    """A function request -> value; None where it is missing, UNKNOWN where nobody knows."""
    raise NotImplementedError
