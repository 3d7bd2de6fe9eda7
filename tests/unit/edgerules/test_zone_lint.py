"""The linter finds every seeded defect, and raises no alarm where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from edge_support import rule, zone

from edgerules.lint import lint
from edgerules.zone import load

DATA = Path(__file__).parent / "data"

SEEDED = {
    ("regex", "plan-operator"),
    ("body", "plan-field"),
    ("bots", "plan-field"),
    ("list", "unknown-list"),
    ("contra", "never-matches"),
    ("hdr", "header-case"),
    ("log", "plan-action"),
    ("resp", "plan-response"),
    ("shadowed", "shadowed"),
    ("fold", "never-true"),
    ("p61", "ratelimit-period"),
    ("p60", "plan-period"),
    ("p600", "plan-period"),
    ("t600", "plan-timeout"),
    ("method", "plan-ratelimit-field"),
    ("throttle", "plan-throttle"),
    ("colo", "ratelimit-colo"),
    ("counting", "plan-counting"),
    ("hchar", "plan-characteristic"),
    ("ttl", "plan-ttl"),
    ("owasp", "plan-managed"),
    ("http_request_firewall_custom holds 12 rules", "plan-count"),
    ("http_ratelimit holds 9 rules", "plan-count"),
}
"""Rule (or the start of the message, for the zone) and code of the 23 defects in data/seeded.yaml."""


def codes(
    *rules: dict[str, Any], plan: str = "enterprise", phase: str = "http_request_firewall_custom", **parts: Any
) -> set[str]:
    return {finding.code for finding in lint(zone(plan, **{phase: list(rules)}, **parts))}


def test_all_seeded_defects_are_found_and_nothing_else() -> None:
    findings = lint(*load(DATA / "seeded.yaml"))
    found = {(finding.rule or finding.message.partition(";")[0], finding.code) for finding in findings}
    assert len(SEEDED) == 23
    assert found == SEEDED


def test_documented_rules_raise_no_alarm() -> None:
    """Both were reported by another linter: a documented len(), and the mandatory pair of characteristics."""
    length = rule("len", 'not len(http.request.headers["x"]) > 0 and http.request.uri.path eq "/hook"')
    limit = {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 10,
        "requests_per_period": 1,
        "mitigation_timeout": 10,
    }
    limited = rule("rl", 'http.request.uri.path eq "/x"', ratelimit=limit)
    assert lint(zone("free", http_request_firewall_custom=[length], http_ratelimit=[limited])) == []


def test_a_production_zone_is_clean() -> None:
    assert lint(*load(DATA / "product.yaml")) == []


def test_findings_carry_line_column_and_reference() -> None:
    findings = {finding.rule: finding for finding in lint(*load(DATA / "seeded.yaml"))}
    text = (DATA / "seeded.yaml").read_text().splitlines()
    fold = findings["fold"]
    assert fold.line is not None
    assert "ref: fold" in text[fold.line - 1]
    assert (fold.column, fold.severity) == (24, "error")
    assert findings["ttl"].reference.startswith("https://developers.cloudflare.com/cache/")
    assert fold.text("zone.yaml").startswith(f"zone.yaml:{fold.line}: error: rule fold, column 24: this is never true")


# Order


@pytest.mark.parametrize(
    ("earlier", "later", "shadowed"),
    [
        ('http.request.uri.path contains "/admin"', 'http.request.uri.path eq "/admin/x"', True),
        ('http.request.uri.path eq "/admin/x"', 'http.request.uri.path contains "/admin"', False),
        ('not http.request.method in {"GET" "POST"}', 'http.request.method eq "PUT" and ssl', True),
        ('http.request.method ne "GET"', 'http.request.method eq "GET"', False),
        ("ip.src in {10.0.0.0/8}", "ip.src in {10.1.0.0/16 10.2.3.4}", True),
        ("ip.src in {10.0.0.0/8}", "ip.src in {10.1.0.0/16 11.0.0.0/8}", False),
        ("ip.src in $net", "ip.src eq 192.0.2.9", True),
        ("cf.threat_score gt 10", "cf.threat_score ge 20", True),
        ("cf.threat_score gt 20", "cf.threat_score ge 20", False),
        ('lower(http.host) eq "a"', 'http.host eq "A"', True),
        ('http.host eq "a" or http.host eq "b"', 'http.host in {"a" "b"}', True),
        ('http.host wildcard "*.example.com"', 'http.host eq "www.example.com"', True),
        ("ssl", 'ssl xor http.host eq "a"', False),
    ],
)
def test_shadows(earlier: str, later: str, shadowed: bool) -> None:
    lists = {"net": {"kind": "ip", "items": ["192.0.2.0/28"]}}
    found = codes(rule("one", earlier), rule("two", later), lists=lists)
    assert ("shadowed" in found) is shadowed


def test_several_rules_can_shadow_together() -> None:
    rules = [rule("a", "ssl"), rule("b", "not ssl"), rule("c", 'http.host eq "x"')]
    [finding] = [
        finding for finding in lint(zone("pro", http_request_firewall_custom=rules)) if finding.code == "shadowed"
    ]
    assert (finding.rule, "a (block), b (block)" in finding.message) == ("c", True)


def test_a_block_shadows_rate_limits_and_a_skip_shadows_custom_rules() -> None:
    limit = {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 10,
        "requests_per_period": 1,
        "mitigation_timeout": 10,
    }
    parts: dict[str, Any] = {"http_ratelimit": [rule("limit", 'http.request.uri.path eq "/x"', ratelimit=limit)]}
    assert "shadowed" in codes(rule("b", 'starts_with(http.request.uri.path, "/x")'), **parts)
    skip = rule("s", "ssl", "skip", action_parameters={"ruleset": "current"})
    assert "shadowed" in codes(skip, rule("b", 'ssl and http.host eq "x"'))
    assert "shadowed" not in codes(skip, **parts)


def test_a_redirect_shadows_custom_rules_unless_a_rewrite_stands_between() -> None:
    target = {"from_value": {"target_url": {"value": "https://x.net/"}}}
    moved = rule("moved", 'http.request.uri.path eq "/old"', "redirect", action_parameters=target)
    block = rule("block", 'http.request.uri.path eq "/old"')
    rewrite = rule("up", 'http.host eq "x"', "rewrite", action_parameters={"uri": {"path": {"value": "/old"}}})
    assert "shadowed" in codes(block, http_request_dynamic_redirect=[moved])
    assert "shadowed" not in codes(block, http_request_dynamic_redirect=[moved], http_request_transform=[rewrite])


def test_later_cache_settings_and_headers_override_earlier_ones() -> None:
    def store(ref: str, value: bool) -> dict[str, Any]:
        return rule(ref, "ssl", "set_cache_settings", action_parameters={"cache": value})

    assert "contradicts" in codes(store("a", True), store("b", False), phase="http_request_cache_settings")
    assert codes(store("a", True), store("b", True), phase="http_request_cache_settings") == set()


def test_two_sources_of_hsts_contradict() -> None:
    change = {"headers": {"Strict-Transport-Security": {"operation": "set", "value": "max-age=60"}}}
    header = rule("h", "true", "rewrite", action_parameters=change)
    settings = {"security_header": {"strict_transport_security": {"enabled": True, "max_age": 300}}}
    assert codes(header, phase="http_response_headers_transform", settings=settings) == {"contradicts"}


@pytest.mark.parametrize("expression", ["true", "ssl or not ssl", 'http.host eq "a" or not http.host eq "a"'])
def test_a_block_of_everything_is_an_error(expression: str) -> None:
    assert "matches-everything" in codes(rule("all", expression))


# Structure


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("missing-ref", {"expression": "ssl", "action": "block"}),
        ("phase-action", rule("a", "ssl", "rewrite")),
        ("logging", rule("a", "ssl", logging={"enabled": True})),
        ("skip-nothing", rule("a", "ssl", "skip")),
        ("skip-phase", rule("a", "ssl", "skip", action_parameters={"phases": ["http_request_firewall_custom"]})),
        ("skip-product", rule("a", "ssl", "skip", action_parameters={"products": ["ratelimit"]})),
        ("block-status", rule("a", "ssl", action_parameters={"response": {"status_code": 200}})),
        ("syntax", rule("a", "ssl and")),
        ("never-true", rule("a", 'http.request.uri.path eq "admin"')),
        ("never-true", rule("a", "cf.threat_score gt 100")),
        ("never-true", rule("a", 'upper(http.host) eq "a"')),
        ("never-true", rule("a", 'ssl or any(lower(http.request.headers["x"][*])[*] contains "SQL")')),
        ("never-matches", rule("a", "ip.src in {10.0.0.0/8} and ip.src eq 11.1.1.1")),
        ("never-matches", rule("a", "http.request.body.size gt 5 and http.request.body.size lt 6")),
        ("never-matches", rule("a", 'starts_with(http.host, "a") and http.host eq "b"')),
        ("never-matches", rule("a", 'http.host contains "abc" and not http.host contains "b"')),
    ],
)
def test_single_defects(code: str, bad: dict[str, Any]) -> None:
    assert code in codes(bad)


def test_duplicate_refs() -> None:
    assert "duplicate-ref" in codes(rule("a", "ssl"), rule("a", "not ssl"))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a+)+$", "repetition within a repetition"),
        ("([a-z]*)*x", "repetition within a repetition"),
        ("(x+x+)+y", None),
        ("a.*b.*c.*d", "3 times .*"),
        (".*admin", "leading .*"),
        ("(?:abcdefghij){900}", "compiles to about"),
        ("^/api/v[0-9]+/(users|items)$", None),
    ],
)
def test_regex_cost(pattern: str, words: str | None) -> None:
    expression = f'http.request.uri.path matches r"{pattern}"'
    messages = [
        finding.message
        for finding in lint(zone(http_request_firewall_custom=[rule("r", expression)]))
        if finding.code == "regex-cost"
    ]
    assert any(words in message for message in messages) if words else messages == []


# Lock-out


@pytest.mark.parametrize(
    ("expression", "who"),
    [
        ('http.request.uri.path contains "/."', "the ACME challenge of example.com"),
        ('lower(http.user_agent) contains "bot"', "the search engine at example.com"),
        ("ip.src in {66.249.64.0/19}", "the search engine at example.com"),
        ('http.request.uri.path eq "/health"', "health check"),
    ],
)
def test_lock_outs_name_the_rule_and_the_victim(expression: str, who: str) -> None:
    must_pass = [
        {"name": "health check", "request": "GET https://example.com/health --ip 192.0.2.1 --country DE -A probe"}
    ]
    findings = lint(
        zone(name="example.com", must_pass=must_pass, http_request_firewall_custom=[rule("trap", expression)])
    )
    [finding] = [finding for finding in findings if finding.code == "lock-out"]
    assert finding.rule == "trap"
    assert finding.message.startswith(f"{who} is stopped by trap (block, 403)")


def test_what_is_not_stated_may_lock_out() -> None:
    must_pass = [{"name": "hook", "request": "POST https://example.com/hook --ip 192.0.2.1"}]
    assert "perhaps-lock-out" in codes(rule("geo", 'ip.src.country in {"KP"}'), name="example.com", must_pass=must_pass)


def test_a_request_that_must_pass_has_to_be_one() -> None:
    must_pass = [{"name": "hook", "request": "POST https://example.com/hook --ip nowhere"}]
    [finding] = lint(zone(must_pass=must_pass))
    assert (finding.code, finding.message) == ("must-pass", "hook: ip: 'nowhere' is not an address")


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("plan-bots", {"bot_management": {"sbfm_definitely_automated": "block"}}),
        ("plan-lists", {"lists": {"a": {"items": []}, "b": {"items": []}}}),
        ("plan-lists", {"lists": {"a": {"items": ["192.0.2.1"] * 10_001}}}),
    ],
)
def test_the_free_plan_lacks(code: str, parts: dict[str, Any]) -> None:
    assert code in {finding.code for finding in lint(zone("free", **parts))}


def test_origin_overrides_need_enterprise() -> None:
    route = rule("r", "ssl", "route", action_parameters={"host_header": "x", "origin": {"host": "y", "port": 1}})
    findings = lint(zone("business", http_request_origin=[route]))
    assert [finding.message.split(";")[0] for finding in findings] == [
        "the Business plan has no override of host_header",
        "the Business plan has no override of origin.host",
    ]
