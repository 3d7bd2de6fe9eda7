"""Comparisons, sets and lists: the right side must suit the left side's type."""

from __future__ import annotations

from ipaddress import ip_address

from edgerules.language import regex, wildcard
from edgerules.language.errors import ExpressionError, Finding
from edgerules.language.lexer import OPERATORS as OPERATOR_DOCS
from edgerules.language.lexer import VALUES
from edgerules.language.printer import to_text
from edgerules.language.syntax import (
    AddressLiteral,
    Call,
    Compare,
    Expr,
    InList,
    InSet,
    IntRange,
    Number,
    SetItem,
    Text,
    start_of,
)
from edgerules.tables.kinds import BOOLEAN, Kind
from edgerules.tables.operators import OPERATORS

_CODES = {"String": "S", "Bytes": "S", "Integer": "I", "IP address": "P"}
_NAMES = {"S": "a String", "I": "an Integer", "P": "an IP address"}


def check_comparison(node: Compare, kind: Kind) -> None:
    """Raise ExpressionError unless `left op right` makes sense for a left side of type `kind`."""
    code = _left_code(node.left, kind, node.op)
    operator = OPERATORS[node.op]
    if code not in operator.takes:
        raise _operator_error(node, *_wrong_operator(node, code))
    if item_code(node.right) != code:
        raise _error(node.right, *_wrong_literal(node, code))
    if isinstance(node.right, Text):
        _check_pattern(node.op, node.right)


def check_set(node: InSet, kind: Kind) -> None:
    code = _left_code(node.left, kind, "in")
    for item in node.items:
        if item_code(item) != code:
            message = f"{to_text(item)} is {_NAMES[item_code(item)]} in a set for {_NAMES[code]}"
            hint = _literal_hint(item, code)
            raise _error(item, message, f"{_NAMES[code]} like {to_text(node.left)}", hint, VALUES + "#inline-lists")


def check_list(node: InList, kind: Kind) -> None:
    _left_code(node.left, kind, "in")


def item_code(item: SetItem) -> str:
    """S, I or P: the type of a literal or of a member of a set."""
    if isinstance(item, Text):
        return "S"
    return "I" if isinstance(item, (Number, IntRange)) else "P"


def _left_code(left: Expr, kind: Kind, op: str) -> str:
    if isinstance(left, (Text, Number, AddressLiteral)):
        hint = "write the field first and the literal after the operator"
        raise _error(left, f"the literal {to_text(left)} stands on the left of {op}", "a field or a function", hint)
    if kind.name in _CODES:
        return _CODES[kind.name]
    text = to_text(left)
    if kind == BOOLEAN:
        raise _error(left, f"{text} is a Boolean and stands alone", None, f"write {text} or not {text}")
    if kind.is_array:
        hint = f"write {text}[0], or any({text}[*] {op} ...)"
        raise _error(left, f"{text} is an array, and {op} compares single values", None, hint, VALUES + "#arrays")
    hint = f'write {text}["key"][0], or any({text}["key"][*] {op} ...)'
    raise _error(left, f"{text} is a map, and {op} compares single values", None, hint, VALUES + "#maps")


def _wrong_operator(node: Compare, code: str) -> tuple[str, str, str | None]:
    text = to_text(node.left)
    takes = [name for name, operator in OPERATORS.items() if code in operator.takes and name != "bitwise_and"]
    hint = None
    if code == "P":
        hint = f"write {text} in {{first..last}} for a range"
    elif code == "I":
        hint = f"write {text} in {{first..last}}, or to_string() where the phase has it"
    return f"{node.op} does not work on {_NAMES[code]} such as {text}", ", ".join(takes), hint


def _wrong_literal(node: Compare, code: str) -> tuple[str, str, str | None]:
    text = to_text(node.left)
    literal = item_code(node.right)
    if isinstance(node.left, Call):
        text = f"{node.left.name}()"
    message = f"{text} is {_NAMES[code]} and is compared with {_NAMES[literal]}"
    return message, _NAMES[code], _literal_hint(node.right, code)


def _literal_hint(item: SetItem, code: str) -> str | None:
    """How to write the same literal as the other type, where that works."""
    if code == "S":
        return f'write "{to_text(item)}"'
    if not isinstance(item, Text):
        return None
    text = item.value.decode("ascii", "replace")
    if code == "I" and text.lstrip("-").isdigit():
        return f"write {text} without quotes"
    if code == "P" and _is_address(text):
        return f"write {text} without quotes"
    if code == "P" and "/" in text:
        return f"write in {{{text}}}"
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _check_pattern(op: str, literal: Text) -> None:
    if op == "matches":
        check_regex(literal)
    elif op.endswith("wildcard"):
        check_wildcard(literal)


def check_regex(literal: Text) -> None:
    try:
        regex.check(literal.value)
    except regex.RegexError as error:
        message = f"character {error.offset + 1} of the regular expression: {error}"
        finding = Finding("regex", message, literal.at, None, None, VALUES + "#string-values-and-regular-expressions")
        raise ExpressionError(finding) from None


def check_wildcard(literal: Text) -> None:
    problem = wildcard.problem(literal.value)
    if problem:
        docs = OPERATOR_DOCS + "#wildcard-matching"
        raise ExpressionError(Finding("wildcard", problem[0], literal.at, None, problem[1], docs))


def _operator_error(node: Compare, message: str, expected: str, suggestion: str | None) -> ExpressionError:
    return ExpressionError(Finding("type", message, node.at, expected, suggestion, OPERATOR_DOCS))


def _error(
    node: Expr | SetItem,
    message: str,
    expected: str | None = None,
    suggestion: str | None = None,
    docs: str = OPERATOR_DOCS,
) -> ExpressionError:
    return ExpressionError(Finding("type", message, start_of(node), expected, suggestion, docs))
