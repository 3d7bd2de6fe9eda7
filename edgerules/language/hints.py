"""What the writer probably meant, when a token does not fit."""

from __future__ import annotations

from edgerules.language.lexer import OPERATORS as OPERATOR_DOCS
from edgerules.language.lexer import Token
from edgerules.language.suggest import did_you_mean
from edgerules.language.syntax import Compare, Expr, Field, Index, InSet, Value
from edgerules.tables.operators import LOGIC, OPERATORS

_WORDS = {
    "in": "in",
    "is": "eq",
    "equals": "eq",
    "like": "wildcard",
    "regex": "matches",
    "match": "matches",
    "then": "and",
    "nor": "or",
    "nand": "and",
}

Hint = tuple[str, "str | None", str]


def dangling_hint(token: Token, before: Expr) -> Hint:
    """What was expected, and a suggestion, for a token after a complete expression."""
    wants_operator = isinstance(before, (Field, Index)) and token.text != ")"
    expected = "an operator (eq, ne, contains, in, ...)" if wants_operator else "and, or, xor or the end"
    return expected, _dangling(token, before, wants_operator), OPERATOR_DOCS


def _dangling(token: Token, before: Expr, wants_operator: bool) -> str | None:
    if token.kind != "name":
        return _dangling_symbol(token, before)
    lower = token.text.lower()
    if lower in (*LOGIC, "not", *OPERATORS) and lower != token.text:
        return f"operators are written in lowercase: {lower}"
    if token.text in ("starts_with", "ends_with"):
        return f"{token.text} is a function: write {token.text}(field, ...)"
    if token.text == "not":
        return "write not before the whole comparison: not http.host eq ..."
    if lower in _WORDS:
        return f"did you mean {_WORDS[lower]}?"
    return did_you_mean(token.text, OPERATORS if wants_operator else LOGIC)


def _dangling_symbol(token: Token, before: Expr) -> str | None:
    if token.text == "!":
        return "write not before the whole comparison: not http.host eq ..."
    if token.text == ")":
        return "one parenthesis too many"
    if token.text == "{" and isinstance(before, (Field, Index)):
        return "write in before the set"
    if token.kind in ("string", "atom") and isinstance(before, (Compare, InSet)):
        return "several values stand in a set: field in {a b}"
    return None


def right_side_hint(op: str, left: Value, token: Token) -> tuple[str, str | None]:
    """What was expected, and a suggestion, for what stands where a literal should."""
    expected = "a literal (a string, an integer or an IP address)"
    if token.text in ("true", "false"):
        negated = (token.text == "false") != (op == "ne")
        shown = left.name if isinstance(left, Field) else "the condition"
        return expected, f"Booleans stand alone: write {'not ' if negated else ''}{shown}"
    if token.kind == "list":
        return expected, f"lists go with in: write in {token}"
    if token.text == "{":
        return expected, "sets go with in: write in {...}"
    if token.kind == "symbol" and token.text in ("=", "==", "<", ">"):
        return expected, "write one operator only"
    if token.kind == "name":
        return expected, _name_hint(token)
    return expected, None


def _name_hint(token: Token) -> str:
    if token.text.startswith(("http.", "ip.", "cf.", "raw.", "ssl")):
        return "two fields cannot be compared with each other"
    if token.text == "r":
        return 'a raw string starts with r" or r#"'
    return f'put strings in double quotes: "{token.text}"'
