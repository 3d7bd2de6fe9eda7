"""The prover is only believed where it is right: random expressions against random requests."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgerules.language import compile_filter, parse
from edgerules.lint.logic import impossible

pytestmark = pytest.mark.slow

TEXTS = ["/a", "/ab", "/b", "/A", "/", "a"]
NUMBERS = [0, 1, 2, 50, 99]
ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.1.0.0", "::1"]
TERMS = ["http.request.uri.path", "lower(http.request.uri.path)", "http.host", "upper(http.host)"]

texts = st.sampled_from(TEXTS)
terms = st.sampled_from(TERMS)
numbers = st.sampled_from(NUMBERS)
atoms = st.one_of(
    st.builds(lambda t, op, x: f'{t} {op} "{x}"', terms, st.sampled_from(["eq", "ne", "contains", "wildcard"]), texts),
    st.builds(lambda t, x, y: f'{t} in {{"{x}" "{y}"}}', terms, texts, texts),
    st.builds(lambda f, t, x: f'{f}({t}, "{x}")', st.sampled_from(["starts_with", "ends_with"]), terms, texts),
    st.builds(
        lambda op, n: f"cf.threat_score {op} {n}", st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), numbers
    ),
    st.builds(lambda a, b: f"cf.threat_score in {{{min(a, b)}..{max(a, b)}}}", numbers, numbers),
    st.builds(lambda a: f"ip.src eq {a}", st.sampled_from(ADDRESSES)),
    st.sampled_from(["ip.src in {10.0.0.0/16 ::/64}", "ip.src in $known", "ssl", "true"]),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.builds(lambda a, op, b: f"({a}) {op} ({b})", inner, st.sampled_from(["and", "or", "xor"]), inner),
    ),
    max_leaves=6,
)
KNOWN = {"known": ["10.0.0.1", "10.1.0.0/16"]}
requests = st.fixed_dictionaries(
    {
        "http.request.uri.path": st.sampled_from([b"/", b"/a", b"/ab", b"/A", b"/aB", b"/b/a"]),
        "http.host": st.sampled_from([b"", b"a", b"A", b"/a", b"x/b", None]),
        "cf.threat_score": st.sampled_from([*range(4), 49, 50, 51, 99, 100, None]),
        "ip.src": st.sampled_from([ip_address(text) for text in [*ADDRESSES, "10.0.255.255", "192.0.2.1"]]),
        "ssl": st.booleans(),
    }
)


@settings(max_examples=1500, deadline=None)
@given(expressions, st.lists(requests, min_size=25, max_size=25))
def test_what_is_impossible_never_happens(text: str, samples: list[dict[str, Any]]) -> None:
    expr = parse(text)
    decide = compile_filter(expr, KNOWN)
    if impossible((expr, True), lists=KNOWN):
        assert not any(decide(sample) for sample in samples)
    if impossible((expr, False), lists=KNOWN):
        assert all(decide(sample) for sample in samples)


def test_it_proves_enough_to_be_useful() -> None:
    contradictions = [
        'http.host eq "a" and http.host ne "a"',
        'http.host in {"a" "b"} and not http.host in {"b" "a" "c"}',
        'starts_with(http.host, "ab") and starts_with(http.host, "b")',
        'ends_with(http.host, ".com") and ends_with(http.host, ".org")',
        'lower(http.host) eq "a" and upper(http.host) eq "B" and http.host in {"a" "B"}',
        "ip.src in {10.0.0.0/8} and ip.src in {::/0}",
        "cf.threat_score lt 5 and cf.threat_score gt 4",
        "len(http.host) lt 0",
        "ssl and not ssl",
        "(ssl or cf.client.bot) and not ssl and not cf.client.bot",
        'any(http.request.headers["x"][*] eq "a") and not any(http.request.headers["x"][*] eq "a")',
        'http.request.uri.path matches "^/a" and http.request.uri.path eq "/b"',
        "ssl xor ssl",
        'any(lower(http.request.headers["x"][*])[*] contains "SQL")',
        'any(lower(http.request.headers.names[*])[*] in {"Foo" "BAR"})',
    ]
    assert [text for text in contradictions if not impossible((parse(text), True))] == []


def test_elements_of_an_array_may_differ() -> None:
    names = "lower(http.request.headers.names[*])[*]"
    possible = [
        f'any({names} eq "a") and any({names} eq "b")',
        f'any({names} eq "a") and not all({names} eq "a")',
        f'all({names} eq "A")',
        'any(http.request.headers["x"][*] in {"a"}) and http.request.headers["x"][0] eq "b"',
    ]
    assert [text for text in possible if impossible((parse(text), True))] == []


def test_it_gives_up_instead_of_running_for_ever() -> None:
    clauses = " and ".join(f'(http.host ne "{n}" or http.user_agent ne "{n}" or ssl)' for n in range(40))
    assert impossible((parse(clauses), True)) is False
