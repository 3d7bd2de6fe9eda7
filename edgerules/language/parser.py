"""Tokens -> syntax tree, by recursive descent."""

from __future__ import annotations

from edgerules.language.errors import DOCS, ExpressionError, Finding, Position
from edgerules.language.hints import dangling_hint, right_side_hint
from edgerules.language.lexer import OPERATORS as OPERATOR_DOCS
from edgerules.language.lexer import VALUES, Lexer, Token
from edgerules.language.literals import literal, set_item
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
    Node,
    Not,
    Number,
    SetItem,
    Text,
    Truth,
    Value,
)
from edgerules.tables.operators import BY_SYMBOL, LOGIC, LOGIC_SYMBOLS, OPERATORS

MAX_DEPTH = 50
"""Nested parentheses, calls and nots. Deeper is refused with a sentence instead of a stack overflow."""


def parse_syntax(text: str) -> Expr:
    """The tree of `text`, before any type is checked. Raises ExpressionError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._tokens = iter(self._lexer)
        self._token = next(self._tokens)
        self._depth = 0

    def whole(self) -> Expr:
        if self._token.kind == "end":
            raise self._error("the expression is empty", "a condition such as ssl")
        expr = self._logic(0)
        if self._token.kind != "end":
            raise self._error(f"{self._token} does not continue the expression", *dangling_hint(self._token, expr))
        return expr

    # Logic, from the loosest operator (or) to the tightest (not)

    def _logic(self, level: int) -> Expr:
        if level == len(LOGIC):
            return self._unary()
        operands = [self._logic(level + 1)]
        start = self._token.at
        while self._logic_word() == LOGIC[level]:
            self._advance()
            operands.append(self._logic(level + 1))
        if len(operands) == 1:
            return operands[0]
        return Logic(start, LOGIC[level], tuple(operands))

    def _logic_word(self) -> str | None:
        if self._token.kind == "name":
            return self._token.text if self._token.text in LOGIC else None
        return LOGIC_SYMBOLS.get(self._token.text) if self._token.kind == "symbol" else None

    def _unary(self) -> Expr:
        start = self._token.at
        if not (self._is("not", "name") or self._is("!")):
            return self._group()
        self._advance()
        self._enter(start)
        operand = self._unary()
        self._depth -= 1
        return Not(start, operand)

    def _group(self) -> Expr:
        if not self._is("("):
            return self._comparison()
        start = self._token.at
        self._advance()
        self._enter(start)
        expr = self._logic(0)
        self._close(")", start, "the parenthesis")
        self._depth -= 1
        return expr

    def _enter(self, at: Position) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"the expression is nested more than {MAX_DEPTH} levels deep"
            raise ExpressionError(Finding("syntax", message, at, None, "split the rule in two"))

    # Comparisons

    def _comparison(self) -> Expr:
        if self._token.kind == "name" and self._token.text in ("true", "false"):
            truth = Truth(self._token.at, self._token.text == "true")
            self._advance()
            return truth
        left = self._value()
        at = self._token.at
        op = self._operator()
        if op is None:
            return left
        if op == "in":
            return self._membership(left, at)
        return Compare(at, op, left, self._right_side(op, left))

    def _operator(self) -> str | None:
        """The English word of a comparison operator, consumed; None where there is none."""
        token = self._token
        if token.kind == "symbol" and token.text in BY_SYMBOL:
            self._advance()
            return BY_SYMBOL[token.text].name
        if token.kind != "name" or token.text not in (*OPERATORS, "strict"):
            return None
        self._advance()
        if token.text != "strict":
            return token.text
        if not self._is("wildcard", "name"):
            raise self._error("strict stands only before wildcard", "wildcard")
        self._advance()
        return "strict wildcard"

    def _right_side(self, op: str, left: Value) -> Text | Number | AddressLiteral:
        token = self._token
        if token.kind == "string":
            self._advance()
            return Text(token.at, token.value, token.regex)
        if token.kind == "atom":
            value = literal(token)
            self._advance()
            return value
        raise self._error(
            f"{token} cannot stand on the right of {op}", *right_side_hint(op, left, token), docs=OPERATOR_DOCS
        )

    def _membership(self, left: Value, at: Position) -> Expr:
        token = self._token
        if token.kind == "list":
            self._advance()
            return InList(at, left, token.text[1:])
        if not self._is("{"):
            hint = f"write in {{{token}}}" if token.kind in ("string", "atom") else None
            raise self._error(
                f"{token} is no set", "a set such as {1 2} or a list such as $office", hint, VALUES + "#lists"
            )
        self._advance()
        items = self._items(token.at)
        return InSet(at, left, items)

    def _items(self, start: Position) -> tuple[SetItem, ...]:
        items: list[SetItem] = []
        while not self._is("}"):
            items.append(self._item(start))
        self._advance()
        if not items:
            message = "an empty set matches nothing"
            raise ExpressionError(Finding("syntax", message, start, "at least one value", None, VALUES + "#lists"))
        return tuple(items)

    def _item(self, start: Position) -> SetItem:
        token = self._token
        if token.kind == "string":
            self._advance()
            return Text(token.at, token.value)
        if token.kind == "atom":
            item = set_item(token)
            self._advance()
            return item
        docs = VALUES + "#inline-lists"
        if self._is(","):
            raise self._error("a comma in a set", "values separated by spaces", "leave out the comma", docs)
        if token.kind == "end":
            message = f"the set that starts at {start} has no end"
            raise self._error(message, "a closing }", None, docs)
        hint = f'write "{token}"' if token.kind == "name" else None
        raise self._error(f"{token} is no value of a set", "strings, integers or IP addresses", hint, docs)

    # Values

    def _value(self) -> Value:
        base = self._primary()
        while self._is("["):
            base = self._index(base)
        return base

    def _primary(self) -> Value:
        token = self._token
        if token.kind == "string":
            self._advance()
            return Text(token.at, token.value)
        if token.kind == "atom":
            value = literal(token)
            self._advance()
            return value
        if token.kind != "name" or token.text in ("and", "or", "xor", "not", *OPERATORS):
            raise self._error(*_missing_value(token))
        self._advance()
        return self._call(token) if self._is("(") else Field(token.at, token.text)

    def _call(self, name: Token) -> Call:
        start = self._token.at
        self._advance()
        self._enter(start)
        args: list[Expr] = []
        while not self._is(")"):
            args.append(self._logic(0))
            if not self._is(","):
                break
            self._advance()
            if self._is(")"):
                raise self._error("a comma before the closing parenthesis", "another argument")
        self._close(")", start, f"the call of {name}")
        self._depth -= 1
        return Call(name.at, name.text, tuple(args))

    def _index(self, base: Value) -> Value:
        start = self._token.at
        self._advance()
        token = self._token
        node: Node
        if self._is("*"):
            node = Each(start, base)
        elif token.kind == "string":
            node = Index(start, base, token.value)
        elif token.kind == "atom":
            node = Index(start, base, _index_number(token))
        else:
            hint = f'write ["{token}"]' if token.kind == "name" else None
            raise self._error(
                f"{token} is no index", 'a number, a key such as "accept", or *', hint, VALUES + "#arrays"
            )
        self._advance()
        self._close("]", start, "the index")
        return node

    # Tokens

    def _is(self, text: str, kind: str = "symbol") -> bool:
        return self._token.kind == kind and self._token.text == text

    def _advance(self) -> None:
        self._token = next(self._tokens)

    def _close(self, mark: str, start: Position, what: str) -> None:
        if not self._is(mark):
            message = f"{what} that opens at {start} is not closed before {self._token}"
            raise self._error(message, f"a closing {mark}")
        self._advance()

    def _error(
        self,
        message: str,
        expected: str | None = None,
        suggestion: str | None = None,
        docs: str = DOCS,
    ) -> ExpressionError:
        return ExpressionError(Finding("syntax", message, self._token.at, expected, suggestion, docs))


def _index_number(token: Token) -> int:
    value = literal(token)
    if isinstance(value, Number) and 0 <= value.value < 2**32:
        return value.value
    finding = Finding("syntax", f"{token} is no index", token.at, "a number from 0", None, VALUES + "#arrays")
    raise ExpressionError(finding)


def _missing_value(token: Token) -> tuple[str, str, str | None]:
    expected = "a field or a function"
    if token.kind == "end":
        return "the expression stops where a condition should follow", expected, None
    if token.kind == "list":
        return f"{token} stands alone", expected, f"write a field before it, as in ip.src in {token}"
    return f"{token} stands where a condition should start", expected, None
