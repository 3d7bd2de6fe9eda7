"""Each error is one sentence with its column, what was expected, and what to write instead."""

from __future__ import annotations

import io

import pytest

from edgerules.check import run
from edgerules.language import ExpressionError, Plan, parse

SENTENCES = [
    ("", "column 1: the expression is empty; expected a condition such as ssl."),
    ("   ", "column 4: the expression is empty; expected a condition such as ssl."),
    ('http.hots eq "a"', "column 1: http.hots is not a field; expected a field; did you mean http.host?"),
    (
        'lwoer(http.host) eq "x"',
        "column 1: lwoer is not a function; expected a function; did you mean lower?",
    ),
    ('http.host = "a"', "column 11: a single = is no operator; write eq or ==."),
    ("http.host eq 'a'", "column 14: strings stand in double quotes; write \"...\" instead of '...'."),
    (
        'http.host eq "a" AND ssl',
        "column 18: AND does not continue the expression; expected and, or, xor or the end; "
        "operators are written in lowercase: and.",
    ),
    (
        'http.host eq "a" nad ssl',
        "column 18: nad does not continue the expression; expected and, or, xor or the end; did you mean and?",
    ),
    ('http.host eq "a" & ssl', "column 18: & does not continue the expression; expected and, or, xor or the end."),
    (
        'ip.src eq "1.1.1.1"',
        "column 11: ip.src is an IP address and is compared with a String; expected an IP address; "
        "write 1.1.1.1 without quotes.",
    ),
    (
        'ip.src eq "10.0.0.0/8"',
        "column 11: ip.src is an IP address and is compared with a String; expected an IP address; "
        "write in {10.0.0.0/8}.",
    ),
    (
        'http.response.code eq "200"',
        "column 23: http.response.code is an Integer and is compared with a String; expected an Integer; "
        "write 200 without quotes.",
    ),
    (
        "http.host eq 5",
        'column 14: http.host is a String and is compared with an Integer; expected a String; write "5".',
    ),
    (
        "http.host eq example",
        "column 14: example cannot stand on the right of eq; expected a literal (a string, an integer or an IP "
        'address); put strings in double quotes: "example".',
    ),
    (
        "ssl eq true",
        "column 8: true cannot stand on the right of eq; expected a literal (a string, an integer or an IP "
        "address); Booleans stand alone: write ssl.",
    ),
    (
        "ssl ne true",
        "column 8: true cannot stand on the right of ne; expected a literal (a string, an integer or an IP "
        "address); Booleans stand alone: write not ssl.",
    ),
    (
        "ip.src in {10.0.0.1/8}",
        "column 12: 10.0.0.1/8 has bits set after the first 8 of 32; expected a network address; write 10.0.0.0/8.",
    ),
    ("ip.src in {}", "column 11: an empty set matches nothing; expected at least one value."),
    (
        "http.response.code in {9..1}",
        "column 24: 9..1 is empty; expected the lower bound first; write 1..9.",
    ),
    (
        "http.response.code eq 99999999999999999999",
        "column 23: 99999999999999999999 does not fit into 64 bits; expected a smaller integer.",
    ),
    (
        '(ssl and http.host eq "a"',
        "column 26: the parenthesis that opens at column 1 is not closed before the end of the expression; "
        "expected a closing ).",
    ),
    (
        "ssl)",
        "column 4: ) does not continue the expression; expected and, or, xor or the end; one parenthesis too many.",
    ),
    ("ssl and", "column 8: the expression stops where a condition should follow; expected a field or a function."),
    (
        'http.request.headers["a"] eq "b"',
        'column 1: http.request.headers["a"] is an array, and eq compares single values; '
        'write http.request.headers["a"][0], or any(http.request.headers["a"][*] eq ...).',
    ),
    (
        "any(http.request.headers.names)",
        "column 5: values of any is of type Array<String>; expected a comparison with [*] or an Array<Boolean>; "
        'compare its elements, as in any(http.request.headers.names[*] eq "...").',
    ),
    (
        "lower(http.request.headers.names) eq 1",
        "column 7: source of lower is of type Array<String>; expected a String; write "
        "http.request.headers.names[*] to call lower for every element, or [0] for the first.",
    ),
    (
        'http.host == "a"\n  or http.hst eq "b"',
        "line 2, column 6: http.hst is not a field; expected a field; did you mean http.host?",
    ),
    ("ssl\tor ssl", "column 4: a tab, which the engine does not skip; use spaces."),
    ("# comment", "column 1: the Rules language has no comments; use the rule's description."),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == sentence


def test_deep_nesting_is_a_sentence_and_no_overflow() -> None:
    for text in ("(" * 1000 + "ssl" + ")" * 1000, "not " * 900 + "ssl", "lower(" * 500 + "http.host" + ")" * 500):
        with pytest.raises(ExpressionError, match="nested more than 50 levels"):
            parse(text)


def check(text: str, plan: Plan | None = None, phase: str | None = None) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = run(io.StringIO(text), plan, phase, out)
    return code, out.getvalue().splitlines()


def test_check_answers_line_by_line() -> None:
    code, answers = check('ssl\nhttp.hots eq "a"\n\nnot ssl\r\n')
    assert code == 1
    assert answers[0] == answers[2] == "ok"
    assert answers[1].startswith("column 1: http.hots is not a field")


def test_check_passes_when_all_do() -> None:
    assert check("ssl\nnot ssl") == (0, ["ok", "ok"])


def test_check_takes_value_expressions_where_the_phase_computes_values() -> None:
    text = 'concat("/archive", http.request.uri.path)'
    assert check(text) == (0, ["ok"])
    assert check(text, phase="http_request_transform") == (0, ["ok"])
    assert check(text, phase="http_request_firewall_custom")[0] == 1


def test_check_knows_plan_and_phase() -> None:
    assert check('http.host matches "a"', Plan.BUSINESS)[0] == 0
    code, (answer,) = check('http.host matches "a"', Plan.PRO)
    assert code == 1
    assert answer.startswith("column 11: matches needs Business or more")


def test_warnings_do_not_fail_a_check() -> None:
    assert check('ip.geoip.country eq "XX"', Plan.FREE) == (0, ["ok"])
