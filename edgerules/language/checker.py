"""Types: every operator and function gets what it takes, and the whole gives what the rule needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgerules.language import arguments
from edgerules.language.errors import DOCS, ExpressionError, Finding
from edgerules.language.lexer import OPERATORS as OPERATOR_DOCS
from edgerules.language.lexer import VALUES
from edgerules.language.operands import check_comparison, check_list, check_set
from edgerules.language.printer import to_text
from edgerules.language.suggest import did_you_mean
from edgerules.language.syntax import (
    AddressLiteral,
    Call,
    Compare,
    Each,
    Expr,
    Field,
    Index,
    InList,
    InSet,
    Logic,
    Not,
    Number,
    Text,
    Truth,
    start_of,
    walk,
)
from edgerules.tables.fields import SOURCE as FIELDS_SOURCE
from edgerules.tables.fields import fields
from edgerules.tables.functions import FUNCTIONS
from edgerules.tables.functions import SOURCE as FUNCTIONS_SOURCE
from edgerules.tables.kinds import BOOLEAN, INTEGER, IP, STRING, Kind, array_of

BOOLEANS = array_of(BOOLEAN)


@dataclass(frozen=True)
class Shape:
    """A type; `each` when the expression stands for every element of an array."""

    kind: Kind
    each: bool = False

    def wrap(self, kind: Kind) -> Shape:
        """The shape of what is computed from this: once, or once for every element."""
        return Shape(array_of(kind)) if self.each else Shape(kind)


def kind_of(expr: Expr) -> Kind:
    """The type of a checked expression, or of a part of one."""
    return infer(expr).kind


def check_result(expr: Expr, result: str) -> None:
    """Raise ExpressionError unless `expr` is well typed and gives what the rule needs."""
    shape = infer(expr)
    arguments.check_replacements(expr)
    if result == "value":
        _check_value(expr, shape)
    elif shape.kind != BOOLEAN or shape.each:
        raise _error(expr, *_no_condition(expr, shape), docs=DOCS + "expressions/")


def _check_value(expr: Expr, shape: Shape) -> None:
    if shape.kind.is_text and not shape.each:
        return
    hint = f"write to_string({to_text(expr)})" if shape.kind in (INTEGER, BOOLEAN, IP) else None
    message = f"the expression gives {_article(shape.kind)} where a string is needed"
    raise _error(expr, message, "a String", hint, docs=FUNCTIONS_SOURCE.url)


def infer(expr: Expr) -> Shape:
    """The shape of `expr`; raises ExpressionError where types do not fit."""
    rule: Callable[[Any], Shape] = _RULES[type(expr)]
    return rule(expr)


def _field(node: Field) -> Shape:
    entry = fields().get(node.name)
    if entry:
        return Shape(entry.kind)
    suggestion: str | None = f"{node.name} is a function: write {node.name}(...)"
    if node.name not in FUNCTIONS:
        suggestion = _field_hint(node.name)
    finding = Finding("unknown-field", f"{node.name} is not a field", node.at, "a field", suggestion, FIELDS_SOURCE.url)
    raise ExpressionError(finding)


def _field_hint(name: str) -> str | None:
    lower = name.lower()
    if lower in ("and", "or", "xor", "not", "in", "eq"):
        return f"operators are written in lowercase: {lower}"
    return did_you_mean(name, fields())


def _index(node: Index) -> Shape:
    base = infer(node.base)
    kind, key = base.kind, node.key
    if kind.inner and (kind.is_array if isinstance(key, int) else kind.is_map):
        return Shape(kind.inner, base.each)
    shown = f"{to_text(node.base)} is {_article(kind)}"
    if kind.is_array:
        raise _error(node, f"{shown}, whose index is a number", "a number or *", docs=VALUES + "#arrays")
    if kind.is_map:
        raise _error(node, f"{shown}, whose index is a string", "a key in double quotes", docs=VALUES + "#maps")
    raise _error(node, f"{shown} and has no elements", "an array or a map", docs=VALUES + "#arrays")


def _each(node: Each) -> Shape:
    base = infer(node.base)
    if base.kind.inner and (base.kind.is_array or base.kind.is_map):
        return Shape(base.kind.inner, True)
    message = f"{to_text(node.base)} is {_article(base.kind)} and cannot be unpacked with [*]"
    raise _error(node, message, "an array", docs=VALUES + "#arrays")


def _compare(node: Compare) -> Shape:
    left = infer(node.left)
    check_comparison(node, left.kind)
    return left.wrap(BOOLEAN)


def _in_set(node: InSet) -> Shape:
    left = infer(node.left)
    check_set(node, left.kind)
    return left.wrap(BOOLEAN)


def _in_list(node: InList) -> Shape:
    left = infer(node.left)
    check_list(node, left.kind)
    return left.wrap(BOOLEAN)


def _not(node: Not) -> Shape:
    return _condition(node.operand)


def _condition(node: Expr) -> Shape:
    shape = infer(node)
    if shape.each and shape.kind == BOOLEAN:
        return Shape(BOOLEANS)
    if shape.kind not in (BOOLEAN, BOOLEANS):
        raise _error(node, *_no_condition(node, shape))
    return shape


def _logic(node: Logic) -> Shape:
    shapes = [_condition(operand) for operand in node.operands]
    for operand, shape in zip(node.operands, shapes, strict=True):
        if shape != shapes[0]:
            message = f"{node.op} joins a single condition with one for every element of an array"
            hint = "wrap the part with [*] in any() or all()"
            raise _error(operand, message, "conditions of one kind", hint, docs=VALUES + "#arrays")
    if shapes[0].kind == BOOLEANS:
        _check_one_array(node)
    return shapes[0]


def _check_one_array(node: Logic) -> None:
    """[*] may stand several times, but only for the same array."""
    arrays = [part for part in walk(node) if isinstance(part, Each) and not _has_each(part.base)]
    for part in arrays[1:]:
        if part.base != arrays[0].base:
            message = f"[*] stands for {to_text(arrays[0].base)} and for {to_text(part.base)}"
            raise _error(part, message, "one array per condition", "write two any() or all()", docs=VALUES)


def _has_each(expr: Expr) -> bool:
    return any(isinstance(part, Each) for part in walk(expr))


def _call(node: Call) -> Shape:
    function = FUNCTIONS.get(node.name)
    if function is None:
        hint = did_you_mean(node.name, FUNCTIONS)
        if node.name in fields():
            hint = f"{node.name} is a field: leave out the parentheses"
        message = f"{node.name} is not a function"
        finding = Finding("unknown-function", message, node.at, "a function", hint, FUNCTIONS_SOURCE.url)
        raise ExpressionError(finding)
    arguments.check_count(node, function)
    shapes = [infer(arg) for arg in node.args]
    _check_each(node, shapes)
    for index, (arg, shape) in enumerate(zip(node.args, shapes, strict=True)):
        kind = BOOLEANS if shape == Shape(BOOLEAN, True) and node.name in ("any", "all") else shape.kind
        arguments.check_argument(node, function, index, arg, kind)
    arguments.check_meaning(node)
    result = function.result or arguments.concat_kind(node, [shape.kind for shape in shapes])
    if node.name in ("any", "all"):
        return Shape(result)
    return shapes[0].wrap(result)


def _check_each(node: Call, shapes: list[Shape]) -> None:
    for arg, shape in list(zip(node.args, shapes, strict=True))[1:]:
        if shape.each:
            message = f"[*] in an argument of {node.name} that is not the first"
            raise _error(arg, message, "[*] in the first argument only", docs=VALUES + "#arrays")


_RULES: dict[type, Callable[[Any], Shape]] = {
    Field: _field,
    Text: lambda node: Shape(STRING),
    Number: lambda node: Shape(INTEGER),
    AddressLiteral: lambda node: Shape(IP),
    Truth: lambda node: Shape(BOOLEAN),
    Index: _index,
    Each: _each,
    Call: _call,
    Compare: _compare,
    InSet: _in_set,
    InList: _in_list,
    Not: _not,
    Logic: _logic,
}


def _no_condition(expr: Expr, shape: Shape) -> tuple[str, str, str | None]:
    """Message, expectation and suggestion for something that is not true or false."""
    text = to_text(expr)
    if shape.kind == BOOLEANS or (shape.each and shape.kind == BOOLEAN):
        message = f"{text} is true or false for every element of an array"
        return message, "one condition", f"write any({text}) or all({text})"
    if isinstance(expr, (Text, Number, AddressLiteral)):
        return f"{text} is a literal and no condition", "a field to compare it with", None
    examples = {"String": 'eq "..."', "Integer": "eq 0", "IP address": "in {...}"}
    example = examples.get(shape.kind.name)
    hint = f"compare it, as in {text} {example}" if example else None
    return f"{text} is {_article(shape.kind)} and no condition", "a Boolean", hint


def _article(kind: Kind) -> str:
    text = str(kind)
    return f"an {text}" if text[0] in "AEIO" else f"a {text}"


def _error(
    node: Expr,
    message: str,
    expected: str | None = None,
    suggestion: str | None = None,
    *,
    docs: str = OPERATOR_DOCS,
) -> ExpressionError:
    return ExpressionError(Finding("type", message, start_of(node), expected, suggestion, docs))
