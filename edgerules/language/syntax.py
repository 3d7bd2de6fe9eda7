"""The syntax tree. Nodes are frozen, carry their place, and compare equal wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from edgerules.language.errors import Position

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Node:
    """Anything with a place in the text."""

    at: Position = field(compare=False, repr=False)

    @property
    def column(self) -> int:
        return self.at.column

    def children(self) -> tuple[Expr, ...]:
        """The expressions directly inside (literals of sets are not expressions)."""
        return ()


@dataclass(frozen=True)
class Field(Node):
    """A field by its full name: `http.request.uri.path`."""

    name: str


@dataclass(frozen=True)
class Text(Node):
    """A string literal. A quoted regular expression keeps its backslashes (`regex` tells)."""

    value: bytes
    regex: bool = False


@dataclass(frozen=True)
class Number(Node):
    value: int


@dataclass(frozen=True)
class AddressLiteral(Node):
    value: Address


@dataclass(frozen=True)
class Truth(Node):
    """`true` or `false` standing alone."""

    value: bool


@dataclass(frozen=True)
class Index(Node):
    """`base[0]` (int) or `base["key"]` (bytes)."""

    base: Value
    key: int | bytes

    def children(self) -> tuple[Expr, ...]:
        return (self.base,)


@dataclass(frozen=True)
class Each(Node):
    """`base[*]`: the enclosing call or comparison is applied to every element."""

    base: Value

    def children(self) -> tuple[Expr, ...]:
        return (self.base,)


@dataclass(frozen=True)
class Call(Node):
    name: str
    args: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.args


@dataclass(frozen=True)
class Compare(Node):
    """`left op right`; `op` is the English word: eq ne lt le gt ge contains matches wildcard
    `strict wildcard` bitwise_and."""

    op: str
    left: Value
    right: Text | Number | AddressLiteral

    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class IntRange(Node):
    first: int
    last: int


@dataclass(frozen=True)
class AddressRange(Node):
    """A CIDR range or `first..last`; both ends are included. `cidr` keeps the notation."""

    first: Address
    last: Address
    cidr: Network | None = None


SetItem = Text | Number | AddressLiteral | IntRange | AddressRange


@dataclass(frozen=True)
class InSet(Node):
    """`left in {a b c}`."""

    left: Value
    items: tuple[SetItem, ...]

    def children(self) -> tuple[Expr, ...]:
        return (self.left,)


@dataclass(frozen=True)
class InList(Node):
    """`left in $name`; the name has no dollar sign."""

    left: Value
    name: str

    def children(self) -> tuple[Expr, ...]:
        return (self.left,)


@dataclass(frozen=True)
class Not(Node):
    operand: Expr

    def children(self) -> tuple[Expr, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Logic(Node):
    """`and`, `xor` or `or` over two or more operands, in the order of the text."""

    op: str
    operands: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.operands


Value = Field | Text | Number | AddressLiteral | Index | Each | Call
Expr = Value | Truth | Compare | InSet | InList | Not | Logic


def walk(expr: Expr) -> Iterator[Expr]:
    """`expr` and everything below it, outermost first."""
    pending = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children()))


def start_of(expr: Expr | SetItem) -> Position:
    """Where the text of `expr` starts; a comparison's own place is its operator, an index's the bracket."""
    while isinstance(expr, (Compare, InSet, InList, Index, Each)):
        expr = expr.children()[0]
    return expr.at


def fields_of(expr: Expr) -> frozenset[str]:
    """The names of all fields that `expr` reads."""
    return frozenset(node.name for node in walk(expr) if isinstance(node, Field))
