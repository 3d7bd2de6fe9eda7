"""Syntax tree -> text that parses to the same tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from edgerules.language.syntax import (
    AddressLiteral,
    AddressRange,
    Call,
    Compare,
    Each,
    Expr,
    Field,
    Index,
    InList,
    InSet,
    IntRange,
    Logic,
    Not,
    Number,
    SetItem,
    Text,
    Truth,
)


def to_text(expr: Expr | SetItem) -> str:
    """One line, in the English notation, with parentheses only where they are needed."""
    printer: Callable[[Any], str] = _PRINTERS[type(expr)]
    return printer(expr)


def quote(value: bytes, *, raw: bool = False) -> str:
    """A string literal. `raw` keeps backslashes as they are, which regular expressions need."""
    if raw:
        return _raw(value.decode("utf-8", "surrogatepass"))
    return '"' + "".join(_escaped(value)) + '"'


def _escaped(value: bytes) -> list[str]:
    try:
        return [_escape(char) for char in value.decode("utf-8")]
    except UnicodeDecodeError:
        return [_escape(chr(byte)) if byte < 128 else f"\\x{byte:02x}" for byte in value]


def _escape(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() or ord(char) > 127 else f"\\x{ord(char):02x}"


def _raw(text: str) -> str:
    longest = max((len(run) for run in re.findall(r'"(#*)', text)), default=-1)
    marks = "#" * (longest + 1)
    return f'r{marks}"{text}"{marks}'


def _operand(expr: Expr) -> str:
    """Inside `not`, `and`, `xor` and `or`, every nested combination keeps its parentheses: it reads better."""
    text = to_text(expr)
    return f"({text})" if isinstance(expr, Logic) else text


def _compare(expr: Compare) -> str:
    raw = expr.op in ("matches", "wildcard", "strict wildcard") and isinstance(expr.right, Text)
    right = _pattern(expr.right) if raw and isinstance(expr.right, Text) else to_text(expr.right)
    return f"{to_text(expr.left)} {expr.op} {right}"


def _pattern(literal: Text) -> str:
    """A regular expression must be raw; a wildcard whose bytes are no text is better escaped."""
    try:
        return quote(literal.value, raw=b"\\" in literal.value or literal.regex)
    except UnicodeDecodeError:
        return quote(literal.value)


def _key(key: int | bytes) -> str:
    return str(key) if isinstance(key, int) else quote(key)


def _address_range(expr: AddressRange) -> str:
    return str(expr.cidr) if expr.cidr else f"{expr.first}..{expr.last}"


_PRINTERS: dict[type, Callable[[Any], str]] = {
    Field: lambda e: str(e.name),
    Text: lambda e: quote(e.value),
    Number: lambda e: str(e.value),
    AddressLiteral: lambda e: str(e.value),
    Truth: lambda e: "true" if e.value else "false",
    Index: lambda e: f"{to_text(e.base)}[{_key(e.key)}]",
    Each: lambda e: f"{to_text(e.base)}[*]",
    Call: lambda e: f"{e.name}({', '.join(to_text(arg) for arg in e.args)})",
    Compare: _compare,
    IntRange: lambda e: f"{e.first}..{e.last}",
    AddressRange: _address_range,
    InSet: lambda e: f"{to_text(e.left)} in {{{' '.join(to_text(item) for item in e.items)}}}",
    InList: lambda e: f"{to_text(e.left)} in ${e.name}",
    Not: lambda e: f"not {_operand(e.operand)}",
    Logic: lambda e: f" {e.op} ".join(_operand(operand) for operand in e.operands),
}
