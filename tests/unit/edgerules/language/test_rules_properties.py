"""Laws that hold for every expression and every request, and that no text breaks the parser."""

from __future__ import annotations

import contextlib
import io
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rules_strategies import ADDRESSES, AT, NUMBERS, address_items, filters, number_items, requests, source
from rules_support import rows

from edgerules.check import run
from edgerules.language import UNKNOWN, Expr, ExpressionError, Plan, check_all, compile_filter, parse, to_text
from edgerules.language.syntax import AddressLiteral, AddressRange, Field, InSet, IntRange, Logic, Not, Number
from edgerules.tables.phases import PHASES

FAST = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LISTS = {"office": ["10.0.0.0/8"]}


@FAST
@given(filters)
def test_parsing_what_was_printed_gives_the_same_tree(expr: Expr) -> None:
    text = to_text(expr)
    assume(len(text) <= 4096)
    assert parse(text) == expr
    assert to_text(parse(text)) == text


def verdict(expr: Expr, request: dict[str, Any]) -> Any:
    return compile_filter(expr, LISTS)(request)


@FAST
@given(filters, filters, requests)
def test_de_morgan(left: Expr, right: Expr, request: dict[str, Any]) -> None:
    def negated(op: str) -> Any:
        return verdict(Not(AT, Logic(AT, op, (left, right))), request)

    def inside(op: str) -> Any:
        return verdict(Logic(AT, op, (Not(AT, left), Not(AT, right))), request)

    assert negated("and") is inside("or")
    assert negated("or") is inside("and")


@FAST
@given(filters, filters, requests)
def test_xor_is_or_without_and(left: Expr, right: Expr, request: dict[str, Any]) -> None:
    both = Logic(AT, "and", (left, right))
    either = Logic(AT, "or", (left, right))
    xor = verdict(Logic(AT, "xor", (left, right)), request)
    if UNKNOWN not in (verdict(left, request), verdict(right, request)):
        assert xor is verdict(Logic(AT, "and", (either, Not(AT, both))), request)
    else:
        assert xor is UNKNOWN


@FAST
@given(filters, requests)
def test_two_negations_cancel_and_order_does_not_matter(expr: Expr, request: dict[str, Any]) -> None:
    assert verdict(Not(AT, Not(AT, expr)), request) is verdict(expr, request)
    if isinstance(expr, Logic):
        assert verdict(Logic(AT, expr.op, expr.operands[::-1]), request) is verdict(expr, request)


@FAST
@given(filters, requests, requests)
def test_knowing_more_never_contradicts(expr: Expr, known: dict[str, Any], other: dict[str, Any]) -> None:
    """A definite verdict stands whatever the unknown fields turn out to be."""
    vague = {name: value if value is other[name] else UNKNOWN for name, value in known.items()}
    answer = verdict(expr, vague)
    if answer is not UNKNOWN:
        assert verdict(expr, known) is answer
        assert verdict(expr, {name: other[name] if vague[name] is UNKNOWN else vague[name] for name in known}) is answer


@FAST
@given(number_items, NUMBERS)
def test_a_set_of_integers_is_one_test_after_the_other(items: tuple[Any, ...], value: int) -> None:
    singles = [
        item.first <= value <= item.last if isinstance(item, IntRange) else item.value == value for item in items
    ]
    expr = InSet(AT, Field(AT, "http.response.code"), items)
    assert verdict(expr, {"http.response.code": value}) is any(singles)


@FAST
@given(address_items, ADDRESSES, st.data())
def test_a_set_of_addresses_is_one_test_after_the_other(
    items: tuple[Any, ...], value: IPv4Address | IPv6Address, data: st.DataObject
) -> None:
    ends = [end for item in items for end in _ends(item)]
    value = data.draw(st.sampled_from([*ends, value]))
    singles = [low.version == value.version and int(low) <= int(value) <= int(high) for low, high in map(_ends, items)]
    assert verdict(InSet(AT, source, items), {"ip.src": value}) is any(singles)


def _ends(item: AddressLiteral | AddressRange) -> tuple[Any, Any]:
    return (item.value, item.value) if isinstance(item, AddressLiteral) else (item.first, item.last)


@FAST
@given(filters, requests)
def test_answers_are_true_false_or_unknown(expr: Expr, request: dict[str, Any]) -> None:
    assert any(verdict(expr, request) is answer for answer in (True, False, UNKNOWN))


WORDS = [text for _, _, text in rows("valid.tsv")] + [row[-1] for row in rows("invalid.tsv")]
PIECES = sorted({piece for text in WORDS for piece in text.replace("(", " ( ").replace(")", " ) ").split(" ")})


@settings(max_examples=250, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join), st.data())
def test_no_text_gives_anything_but_an_expression_error(text: str, data: st.DataObject) -> None:
    plan = data.draw(st.none() | st.sampled_from(list(Plan)))
    phase = data.draw(st.none() | st.sampled_from(PHASES))
    result = data.draw(st.sampled_from(["filter", "value", "counting"]))
    for finding in check_all(text, plan=plan, phase=phase, result=result):
        assert finding.sentence()
        assert 1 <= finding.column <= len(text) + 1


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WORDS), st.data())
def test_no_edit_of_a_documented_expression_breaks_the_parser(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 4)))
    edited = text[:start] + data.draw(st.text(max_size=4) | st.sampled_from(PIECES)) + text[end:]
    with contextlib.suppress(ExpressionError):
        expr = parse(edited)
        assert parse(to_text(expr)) == expr
        compile_filter(expr)({})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=30), max_size=5))
def test_check_answers_every_line_that_is_not_empty(lines: list[str]) -> None:
    out = io.StringIO()
    code = run(lines, None, None, out)
    answers = out.getvalue().splitlines()
    assert len(answers) >= sum(bool(line.strip(" ")) for line in lines)
    assert code == (0 if set(answers) <= {"ok"} else 1)


@given(st.integers(-(2**70), 2**70))
def test_integers_are_64_bits(number: int) -> None:
    text = f"http.response.code eq {number}"
    if -(2**63) <= number < 2**63:
        assert parse(text) == parse(to_text(parse(text)))
    else:
        (finding,) = check_all(text)
        assert "64 bits" in finding.message


def test_a_set_with_one_value_is_a_comparison() -> None:
    for value in (1, 0, -1):
        request = {"http.response.code": 0}
        in_set = InSet(AT, Field(AT, "http.response.code"), (Number(AT, value),))
        assert verdict(in_set, request) is verdict(parse(f"http.response.code eq {value}"), request)
