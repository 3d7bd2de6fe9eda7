"""Rate limits on a virtual clock: the documented examples, and what is not known for certain."""

from __future__ import annotations

from typing import Any

import pytest
from edge_support import CACHE, CUSTOM, LIMITS, bare, edge, rule, send

FORM = "application/x-www-form-urlencoded"


def limit(count: int, **more: Any) -> dict[str, Any]:
    settings = {"characteristics": ["cf.colo.id", "ip.src"], "period": 10, "mitigation_timeout": 600}
    return {**settings, "requests_per_period": count, **more}


def keyed(count: int, **more: Any) -> dict[str, Any]:
    return limit(count, characteristics=["cf.colo.id", "ip.src", 'http.request.headers["x-api-key"]'], **more)


def test_documented_example_a() -> None:
    """docs: waf/rate-limiting-rules/request-rate, Example A."""
    expression = f'http.request.uri.path eq "/form" and any(http.request.headers["content-type"][*] eq "{FORM}")'
    zone = edge(http_ratelimit=[rule("one", expression, ratelimit=keyed(1))])
    request = f"POST /form -H 'content-type: {FORM}' -H 'x-api-key: "
    assert send(zone, request + "key1'", 0).verdict == "allowed"
    assert send(zone, request + "key2'", 1).verdict == "allowed"
    blocked = send(zone, request + "key1'", 2)
    assert (blocked.rule, blocked.status) == ("one", 429)
    assert send(zone, "POST /form -H 'content-type: application/json' -H 'x-api-key: key1'", 3).verdict == "allowed"


def test_documented_example_b() -> None:
    """The same page, Example B: only answers with 400 count, and they count after the answer."""
    counting = 'http.request.uri.path eq "/form" and http.response.code eq 400'
    zone = edge(
        http_ratelimit=[
            rule("two", 'http.request.uri.path eq "/form"', ratelimit=keyed(1, counting_expression=counting))
        ]
    )
    answers = [400, 200, 400]
    for at, status in enumerate(answers):
        assert send(zone, f"POST /form -H 'x-api-key: k' --status {status}", at).verdict == "allowed"
    assert send(zone, "POST /form -H 'x-api-key: k' --status 200", 3).rule == "two"
    assert send(zone, "POST /form -H 'x-api-key: k' --status 200", 602).rule == "two"
    assert send(zone, "POST /form -H 'x-api-key: k' --status 200", 604).verdict == "allowed"


def test_counters_belong_to_a_data_centre_and_an_address() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(1))])
    assert [send(zone, line).verdict for line in ("/", "/ --colo two", "/ --ip 198.51.100.8")] == ["allowed"] * 3
    assert [send(zone, line).rule for line in ("/", "/ --colo two", "/ --ip 198.51.100.8")] == ["r"] * 3


def test_the_action_lasts_as_long_as_its_timeout() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(2, mitigation_timeout=60))])
    assert [send(zone, "/", at).verdict for at in (0, 1)] == ["allowed", "allowed"]
    assert [send(zone, "/", at).verdict for at in (2, 30, 61.9)] == ["stopped"] * 3
    assert send(zone, "/", 62).verdict == "allowed"


def test_the_window_slides() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(2))])
    assert [send(zone, "/", at).verdict for at in (0, 9, 10, 19, 20)] == ["allowed"] * 5
    assert send(zone, "/", 20.5).verdict == "stopped"


def test_throttling_lets_the_limit_through_for_ever() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(2, mitigation_timeout=0))])
    allowed = sum(send(zone, "/", at / 2).verdict == "allowed" for at in range(200))
    assert allowed == 20  # two in each ten of the hundred seconds


def test_log_and_challenge_are_actions_too() -> None:
    zone = edge(
        http_ratelimit=[
            rule("log", "ssl", "log", ratelimit=limit(1)),
            rule("ask", "ssl", "managed_challenge", ratelimit=limit(2, mitigation_timeout=0)),
        ]
    )
    assert [send(zone, "/").verdict for _ in range(3)] == ["allowed", "allowed", "stopped"]
    assert send(zone, "/").headers["cf-mitigated"] == ["challenge"]


def test_a_counting_expression_does_not_inherit_the_rule() -> None:
    counted = limit(2, counting_expression='http.request.uri.path eq "/count"')
    zone = edge(http_ratelimit=[rule("r", 'http.request.uri.path eq "/act"', ratelimit=counted)])
    assert [send(zone, "/act").verdict for _ in range(5)] == ["allowed"] * 5
    assert [send(zone, "/count").verdict for _ in range(3)] == ["allowed"] * 3
    assert send(zone, "/act").rule == "r"


def test_missing_and_empty_header_values_count_apart() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=keyed(1))])
    assert [send(zone, line).verdict for line in ("/", "/ -H 'x-api-key: '")] == ["allowed", "allowed"]
    assert send(zone, "/").verdict == "stopped"


def test_blocked_requests_do_not_reach_the_counters() -> None:
    blocked = rule("block", 'http.request.uri.path eq "/x"')
    zone = edge(http_request_firewall_custom=[blocked], http_ratelimit=[rule("r", "ssl", ratelimit=limit(1))])
    assert [send(zone, "/x").rule for _ in range(3)] == ["block"] * 3
    assert send(zone, "/").verdict == "allowed"


def test_only_requests_to_the_origin_count_when_told_so() -> None:
    stored = rule(
        "c",
        "ssl",
        "set_cache_settings",
        action_parameters={"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}},
    )
    at_origin = limit(1, requests_to_origin=True)
    zone = edge(http_request_cache_settings=[stored], http_ratelimit=[rule("r", "ssl", ratelimit=at_origin)])
    assert [send(zone, "/a", at).verdict for at in (0, 1, 2, 3)] == ["allowed"] * 4  # one miss, then hits
    assert send(zone, "/b", 4).verdict == "allowed"
    assert send(zone, "/c", 5).rule == "r"


# What is not known


def test_an_uncertain_match_never_becomes_a_verdict() -> None:
    zone = edge(http_ratelimit=[rule("r", "cf.client.bot", ratelimit=limit(2))])
    assert [send(zone, "/").verdict for _ in range(2)] == ["allowed", "allowed"]
    third = send(zone, "/")
    assert (third.verdict, third.maybe[0].rule, third.maybe[0].because) == ("unknown", "r", "cf.client.bot not stated")


def test_uncertain_counts_and_certain_ones_are_kept_apart() -> None:
    zone = edge(http_ratelimit=[rule("r", 'cf.client.bot or http.request.uri.path eq "/sure"', ratelimit=limit(2))])
    assert [send(zone, "/").verdict for _ in range(2)] == ["allowed", "allowed"]
    assert send(zone, "/sure").verdict == "unknown"  # the third that matches, if the first two did
    assert send(zone, "/sure").verdict == "unknown"
    assert send(zone, "/sure").rule == "r"  # now three are certain


def test_who_may_have_been_stopped_before_may_not_have_been_counted() -> None:
    zone = edge(
        http_request_firewall_custom=[rule("bot", "cf.client.bot")],
        http_ratelimit=[rule("r", "ssl", ratelimit=limit(1))],
    )
    assert send(zone, "/").verdict == "unknown"
    assert [stop.rule for stop in send(zone, "/").maybe] == ["bot", "r"]
    assert send(zone, "/ --field cf.client.bot=false").verdict == "unknown"
    assert send(zone, "/ --field cf.client.bot=false").rule == "r"


def test_an_unknown_address_may_be_anybody() -> None:
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(1))])
    assert zone.send(bare("/")).verdict == "allowed"
    outcome = send(zone, "/")
    assert (outcome.verdict, outcome.maybe[0].because) == ("unknown", "not every counted request is certain")


def test_without_an_answer_a_response_count_is_uncertain() -> None:
    counting = "http.response.code eq 401"
    zone = edge(http_ratelimit=[rule("r", "ssl", ratelimit=limit(1, counting_expression=counting))])
    request = bare("/ --ip 198.51.100.7")
    assert [zone.send(request).verdict for _ in range(3)] == ["allowed", "allowed", "unknown"]


@pytest.mark.parametrize("phase", [CUSTOM, LIMITS, CACHE])
def test_disabled_rules_do_nothing(phase: str) -> None:
    off = rule("off", "true", {CACHE: "set_cache_settings"}.get(phase, "block"), enabled=False)
    assert send(edge(**{phase: [off]}), "/").verdict == "allowed"
