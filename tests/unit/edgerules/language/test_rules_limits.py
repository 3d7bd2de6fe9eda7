"""What plans and phases refuse, and the tables behind it."""

from __future__ import annotations

import pytest

from edgerules.language import ExpressionError, Plan, check_all, parse
from edgerules.tables.fields import fields
from edgerules.tables.functions import FUNCTIONS
from edgerules.tables.limits import LIMITS, PHASE_RULES, max_rules
from edgerules.tables.phases import PHASES

CUSTOM = "http_request_firewall_custom"
LIMIT = "http_ratelimit"


def codes(text: str, *, plan: Plan | None = None, phase: str | None = None, result: str = "filter") -> list[str]:
    return [finding.code for finding in check_all(text, plan=plan, phase=phase, result=result)]


PLAN_CASES = [
    ('http.host matches "a"', Plan.PRO, "plan-operator"),
    ('http.host matches "a"', Plan.BUSINESS, None),
    ('http.host wildcard "a*"', Plan.FREE, None),
    ('any(http.request.cookies["a"][*] eq "b")', Plan.FREE, "plan-field"),
    ('any(http.request.cookies["a"][*] eq "b")', Plan.PRO, None),
    ('http.request.body.raw contains "a"', Plan.BUSINESS, "plan-field"),
    ('http.request.body.raw contains "a"', Plan.ENTERPRISE, None),
    ("cf.bot_management.score lt 30", Plan.BUSINESS, "plan-field"),
    ("cf.bot_management.score lt 30", Plan.ENTERPRISE, "plan-addon"),
    ('ip.src.subdivision_1_iso_code eq "GB-ENG"', Plan.PRO, "plan-field"),
    ('cf.waf.score.class eq "attack"', Plan.BUSINESS, None),
    ("cf.waf.score lt 20", Plan.BUSINESS, "plan-field"),
    ('is_timed_hmac_valid_v0("k", http.request.uri, 1, http.request.timestamp.sec)', Plan.FREE, "plan-function"),
    ('is_timed_hmac_valid_v0("k", http.request.uri, 1, http.request.timestamp.sec)', Plan.PRO, None),
    ("ip.src in $cf.open_proxies", Plan.BUSINESS, "plan-list"),
    ("ip.src in $office", Plan.FREE, None),
    ('ip.geoip.country eq "XX"', Plan.FREE, "deprecated"),
    ('any(http.request.headers["User-Agent"][*] contains "x")', Plan.FREE, "header-case"),
]


@pytest.mark.parametrize(("text", "plan", "code"), PLAN_CASES)
def test_plan(text: str, plan: Plan, code: str | None) -> None:
    assert codes(text, plan=plan, phase=CUSTOM) == ([code] if code else [])


PHASE_CASES = [
    ("http.response.code eq 404", CUSTOM, "filter", "phase-field"),
    ("http.response.code eq 404", "http_response_headers_transform", "filter", None),
    ("http.response.code eq 404", LIMIT, "filter", "phase-field"),
    ("http.response.code eq 404", LIMIT, "counting", None),
    ("tcp.dstport eq 80", CUSTOM, "filter", "phase-field"),
    ("tcp.dstport eq 80", "magic_transit", "filter", None),
    ("cidr(ip.src, 24, 48) eq 10.0.0.0", CUSTOM, "filter", None),
    ("cidr(ip.src, 24, 48) eq 10.0.0.0", "http_request_cache_settings", "filter", "phase-function"),
    ('regex_replace(http.host, "a", "b")', "http_request_transform", "value", None),
    ('regex_replace(http.host, "a", "b") eq "b"', "http_request_transform", "filter", "phase-function"),
    ('regex_replace(http.host, "a", "b") eq "b"', CUSTOM, "filter", "phase-function"),
    (
        'wildcard_replace(http.request.uri.path, "/a*", "/${1}")',
        "http_request_late_transform",
        "value",
        "phase-function",
    ),
    ('wildcard_replace(http.request.uri.path, "/a*", "/${1}")', "http_request_dynamic_redirect", "value", None),
    ('split(http.host, ".", 2)[0] eq "a"', "http_custom_errors", "filter", None),
    ('split(http.host, ".", 2)[0] eq "a"', CUSTOM, "filter", "phase-function"),
    ('join(http.request.headers.names, ",") contains "a"', CUSTOM, "filter", None),
    ('join(http.request.headers.names, ",") contains "a"', LIMIT, "filter", "phase-function"),
    ("uuidv4(cf.random_seed)", "http_request_late_transform", "value", None),
    ("encode_base64(http.host)", "http_request_transform", "value", "phase-function"),
]


@pytest.mark.parametrize(("text", "phase", "result", "code"), PHASE_CASES)
def test_phase(text: str, phase: str, result: str, code: str | None) -> None:
    assert codes(text, phase=phase, result=result) == ([code] if code else [])


RATE_CASES = [
    ('http.request.uri.path eq "/login"', Plan.FREE, True),
    ("cf.bot_management.verified_bot", Plan.FREE, True),
    ('http.request.method eq "POST"', Plan.FREE, False),
    ('http.host eq "a"', Plan.FREE, False),
    ('http.host eq "a"', Plan.PRO, True),
    ('http.request.method eq "POST"', Plan.PRO, False),
    ('http.request.method eq "POST"', Plan.BUSINESS, True),
    ("ip.src in {10.0.0.0/8}", Plan.BUSINESS, True),
    ('any(http.request.headers["a"][*] eq "b")', Plan.BUSINESS, False),
    ('any(http.request.headers["a"][*] eq "b")', Plan.ENTERPRISE, True),
]


@pytest.mark.parametrize(("text", "plan", "fits"), RATE_CASES)
def test_fields_of_rate_limits(text: str, plan: Plan, fits: bool) -> None:
    assert codes(text, plan=plan, phase=LIMIT) == ([] if fits else ["plan-ratelimit-field"])


def test_parse_raises_for_errors_and_not_for_warnings() -> None:
    parse('ip.geoip.country eq "XX"', plan=Plan.FREE, phase=CUSTOM)
    with pytest.raises(ExpressionError, match="column 11: matches needs Business or more, and the zone has Free"):
        parse('http.host matches "a"', plan=Plan.FREE)


def test_all_findings_come_in_the_order_of_the_text() -> None:
    text = 'http.response.code eq 1 and http.host matches "a" and cf.waf.score lt 1'
    assert codes(text, plan=Plan.FREE, phase=CUSTOM) == ["phase-field", "plan-operator", "plan-field"]


@pytest.mark.parametrize(("length", "fits"), [(4096, True), (4097, False)])
def test_length(length: int, fits: bool) -> None:
    frame = 'http.host eq ""'
    text = f'http.host eq "{"a" * (length - len(frame))}"'
    assert codes(text) == ([] if fits else ["length"])


def test_an_unknown_phase_gets_a_suggestion() -> None:
    (finding,) = check_all("ssl", phase="http_request_firewal_custom")
    assert finding.code == "unknown-phase"
    assert finding.suggestion == "did you mean http_request_firewall_custom?"


def test_tables_are_whole() -> None:
    packet = [entry for entry in fields().values() if entry.packet]
    assert len(fields()) - len(packet) == 173 + 6 + 1
    for function in FUNCTIONS.values():
        assert function.phases is None or function.phases <= set(PHASES), function.name
    assert set(PHASES) >= PHASE_RULES


@pytest.mark.parametrize(
    ("plan", "custom", "limits", "cache", "ttl"),
    [
        (Plan.FREE, 5, 1, 10, 7200),
        (Plan.PRO, 20, 2, 25, 3600),
        (Plan.BUSINESS, 100, 5, 50, 1),
        (Plan.ENTERPRISE, 1000, 100, 300, 1),
    ],
)
def test_counts(plan: Plan, custom: int, limits: int, cache: int, ttl: int) -> None:
    assert max_rules(plan, CUSTOM) == custom
    assert max_rules(plan, LIMIT) == limits
    assert max_rules(plan, "http_request_cache_settings") == cache
    assert max_rules(plan, "http_request_firewall_managed") is None
    assert LIMITS[plan].min_edge_ttl == ttl
