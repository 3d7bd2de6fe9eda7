"""Phases in their documented order, and what each can do to the next."""

from __future__ import annotations

from typing import Any

import pytest
from edge_support import bare, edge, rule, send

from edgerules.language import UNKNOWN

OWASP = {"id": "4814384a9e5d4991b9815dcfc25d2f1f"}


def redirect(ref: str, expression: str, target: str, **more: Any) -> dict[str, Any]:
    value = {"target_url": {"value": target}, "status_code": 301, **more}
    return rule(ref, expression, "redirect", action_parameters={"from_value": value})


def rewrite(ref: str, expression: str, **uri: Any) -> dict[str, Any]:
    return rule(ref, expression, "rewrite", action_parameters={"uri": uri})


def limit(count: int) -> dict[str, Any]:
    return {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 10,
        "requests_per_period": count,
        "mitigation_timeout": 10,
    }


def test_redirects_win_over_blocks() -> None:
    zone = edge(
        http_request_dynamic_redirect=[redirect("move", 'http.request.uri.path eq "/old"', "https://example.com/new")],
        http_request_firewall_custom=[rule("all", "true")],
    )
    moved = send(zone, "/old")
    assert (moved.rule, moved.status, moved.headers["location"]) == ("move", 301, ["https://example.com/new"])
    assert send(zone, "/else").rule == "all"


def test_the_first_redirect_wins() -> None:
    zone = edge(
        http_request_dynamic_redirect=[redirect("a", "ssl", "https://a.net/"), redirect("b", "ssl", "https://b.net/")]
    )
    assert send(zone, "/").rule == "a"


def test_always_use_https_acts_before_any_rule() -> None:
    settings = {"always_use_https": "on"}
    zone = edge(settings=settings, http_request_dynamic_redirect=[redirect("r", "true", "https://x.net/")])
    outcome = send(zone, "http://example.com/a?b")
    assert (outcome.rule, outcome.headers["location"]) == ("setting:always_use_https", ["https://example.com/a?b"])


def test_firewall_rules_see_the_rewritten_path_and_raw_keeps_the_old_one() -> None:
    zone = edge(
        http_request_transform=[rewrite("up", 'http.request.uri.path eq "/a"', path={"value": "/b"})],
        http_request_firewall_custom=[
            rule("old", 'http.request.uri.path eq "/a"'),
            rule("raw", 'raw.http.request.uri.path eq "/a" and http.request.uri.path eq "/b"'),
        ],
    )
    assert send(zone, "/a").rule == "raw"


def test_rewrites_read_the_url_as_it_came() -> None:
    """docs: ruleset-engine/about/rules, field values are immutable within a phase; the last rewrite stays."""
    zone = edge(
        http_request_transform=[
            rewrite("one", 'http.request.uri.path eq "/a"', path={"value": "/b"}),
            rewrite("two", 'http.request.uri.path eq "/b"', path={"value": "/never"}),
            rewrite(
                "three", 'http.request.uri.path eq "/a"', query={"expression": 'concat("was=", http.request.uri.path)'}
            ),
        ]
    )
    outcome = send(zone, "/a?x=1")
    assert outcome.to_origin == {"path": "/b", "query": "was=/a"}


def test_everything_that_follows_from_the_url_changes_with_it() -> None:
    """Also what an earlier phase has already looked at."""
    seen = 'http.request.full_uri contains "/a.html?x=1" and http.request.uri.path.extension eq "html"'
    zone = edge(
        http_request_dynamic_redirect=[
            redirect("never", f'{seen} and any(http.request.uri.args["x"][*] eq "2")', "https://x.net/")
        ],
        http_request_transform=[rewrite("up", "true", path={"value": "/b.js"}, query={"value": "x=2"})],
        http_request_firewall_custom=[
            rule("old", 'http.request.uri contains "a" or http.request.uri.path.extension eq "html"'),
            rule(
                "new",
                'http.request.full_uri eq "https://example.com/b.js?x=2" and any(http.request.uri.args["x"][*] eq "2")',
            ),
        ],
    )
    assert send(zone, "/a.html?x=1").rule == "new"


def test_everything_that_follows_from_the_headers_changes_with_them() -> None:
    change = {"headers": {"User-Agent": {"operation": "set", "value": "edge"}, "Cookie": {"operation": "remove"}}}
    store = {"cache": True}
    zone = edge(
        http_request_firewall_custom=[
            rule("b", 'http.user_agent eq "bad" or http.cookie eq "bad" or len(http.request.headers.names) gt 9')
        ],
        http_request_late_transform=[rule("h", "true", "rewrite", action_parameters=change)],
        http_request_cache_settings=[
            rule("c", 'http.user_agent eq "edge" and http.cookie eq ""', "set_cache_settings", action_parameters=store)
        ],
    )
    cached = send(zone, "/ -A visitor -b a=b").cache
    assert cached is not None
    assert cached.rules == ["c"]


def test_a_rewrite_that_nobody_can_decide_leaves_the_path_unknown() -> None:
    zone = edge(
        http_request_transform=[rewrite("bots", "cf.client.bot", path={"value": "/bots"})],
        http_request_firewall_custom=[rule("admin", 'http.request.uri.path eq "/admin"')],
    )
    outcome = send(zone, "/admin")
    assert (outcome.verdict, outcome.maybe[0].because) == ("unknown", "http.request.uri.path not stated")
    assert send(zone, "/admin --field cf.client.bot=false").rule == "admin"


def test_the_origin_gets_the_normal_path_when_told_so() -> None:
    both = {"type": "cloudflare", "scope": "both"}
    assert send(edge(url_normalization=both), "/a//b").to_origin == {"path": "/a/b"}
    assert send(edge(), "/a//b").to_origin == {}


def test_bulk_redirects_see_the_rewritten_path() -> None:
    items = [{"source_url": "example.com/new", "target_url": "https://example.net/", "status_code": 302}]
    follow = rule("bulk", "true", "redirect", action_parameters={"from_list": {"name": "moved"}})
    zone = edge(
        lists={"moved": {"kind": "redirect", "items": items}},
        http_request_transform=[rewrite("up", 'http.request.uri.path eq "/old"', path={"value": "/new"})],
        http_request_redirect=[follow],
    )
    assert (send(zone, "/old").rule, send(zone, "/old").status) == ("bulk", 302)


def test_rate_limits_run_before_managed_rules() -> None:
    zone = edge(
        http_ratelimit=[rule("limit", "true", ratelimit=limit(1))],
        http_request_firewall_managed=[rule("owasp", "true", "execute", action_parameters=OWASP)],
    )
    assert send(zone, "/").verdict == "unknown"
    assert send(zone, "/").rule == "limit"  # certain, although nobody knows what OWASP would say


def test_request_headers_change_after_the_firewall() -> None:
    change = {"headers": {"X-Secret": {"operation": "set", "value": "1"}}}
    seen = 'any(http.request.headers["x-secret"][*] eq "1")'
    zone = edge(
        http_request_late_transform=[rule("add", "true", "rewrite", action_parameters=change)],
        http_request_firewall_custom=[rule("block", seen)],
        http_request_cache_settings=[rule("bypass", seen, "set_cache_settings", action_parameters={"cache": False})],
    )
    outcome = send(zone, "/a.js")
    assert outcome.verdict == "allowed"
    assert outcome.cache is not None
    assert outcome.cache.rules == ["bypass"]


# Skip


def skip(ref: str, expression: str, **parameters: Any) -> dict[str, Any]:
    return rule(ref, expression, "skip", action_parameters=parameters)


def test_skip_current_leaves_out_the_rest_of_the_custom_rules_only() -> None:
    zone = edge(
        http_request_firewall_custom=[
            rule("first", 'http.request.uri.path eq "/first"'),
            skip("s", "true", ruleset="current"),
            rule("second", "true"),
        ],
        http_ratelimit=[rule("limit", "true", ratelimit=limit(1))],
    )
    assert send(zone, "/first").rule == "first"
    assert send(zone, "/").verdict == "allowed"
    assert send(zone, "/").rule == "limit"


@pytest.mark.parametrize(
    ("phases", "verdicts"),
    [
        (["http_ratelimit"], ["unknown", "unknown"]),
        (["http_request_firewall_managed"], ["allowed", "stopped"]),
        (["http_ratelimit", "http_request_firewall_managed"], ["allowed", "allowed"]),
    ],
)
def test_skip_phases(phases: list[str], verdicts: list[str]) -> None:
    zone = edge(
        http_request_firewall_custom=[skip("s", "true", phases=phases)],
        http_ratelimit=[rule("limit", "true", ratelimit=limit(1))],
        http_request_firewall_managed=[rule("owasp", "true", "execute", action_parameters=OWASP)],
    )
    assert [send(zone, "/").verdict for _ in verdicts] == verdicts


def test_managed_exceptions_skip_the_rulesets_they_name() -> None:
    zone = edge(
        http_request_firewall_managed=[
            skip("except", 'http.request.uri.path eq "/hook"', rulesets=[OWASP["id"]]),
            rule("owasp", "true", "execute", action_parameters=OWASP),
        ]
    )
    assert send(zone, "/hook").verdict == "allowed"
    assert send(zone, "/").maybe[0].because == "managed: OWASP Core Ruleset"


def test_a_skip_that_nobody_can_decide_makes_what_follows_unknown() -> None:
    zone = edge(http_request_firewall_custom=[skip("s", "cf.client.bot", ruleset="current"), rule("block", "true")])
    outcome = send(zone, "/")
    assert (outcome.verdict, outcome.maybe[0].because) == ("unknown", "perhaps skipped by s")
    assert send(zone, "/ --field cf.client.bot=false").rule == "block"
    assert send(zone, "/ --field cf.client.bot=true").verdict == "allowed"


# Three answers


def test_an_unknown_before_a_certain_stop_leaves_the_verdict_certain() -> None:
    zone = edge(http_request_firewall_custom=[rule("bot", "cf.client.bot"), rule("all", "true")])
    outcome = send(zone, "/")
    assert (outcome.verdict, outcome.rule, outcome.status) == ("stopped", None, 403)
    assert "if not earlier by bot" in outcome.summary()


def test_the_status_is_known_only_if_all_possible_ends_agree() -> None:
    gone = {"response": {"status_code": 404, "content": "gone", "content_type": "text/plain"}}
    rules = [rule("bot", "cf.client.bot"), rule("gone", "true", action_parameters=gone)]
    outcome = send(edge(http_request_firewall_custom=rules), "/")
    assert (outcome.verdict, outcome.status, outcome.headers["content-type"]) == ("stopped", None, UNKNOWN)
    assert send(edge(http_request_firewall_custom=rules), "/ --field cf.client.bot=false").status == 404


def test_managed_rules_overridden_to_log_stop_nothing() -> None:
    parameters = {**OWASP, "overrides": {"action": "log"}}
    zone = edge(http_request_firewall_managed=[rule("owasp", "true", "execute", action_parameters=parameters)])
    assert send(zone, "/").verdict == "allowed"


def test_bots_are_unknown_unless_the_case_states_their_score() -> None:
    zone = edge(bot_management={"sbfm_definitely_automated": "block", "sbfm_likely_automated": "managed_challenge"})
    score = "/ --field cf.client.bot=false --field cf.bot_management.score="
    assert send(zone, "/").verdict == "unknown"
    assert send(zone, "/ --bots pass").verdict == "allowed"
    assert [send(zone, score + text).action for text in ("1", "29", "30")] == ["block", "managed_challenge", None]


def test_bot_fight_mode_cannot_be_skipped() -> None:
    zone = edge(
        bot_management={"fight_mode": True},
        http_request_firewall_custom=[skip("s", "true", phases=["http_request_sbfm"])],
    )
    assert send(zone, "/").verdict == "unknown"


def test_country_lists_without_a_country_are_unknown() -> None:
    zone = edge(http_request_firewall_custom=[rule("geo", 'ip.src.country in {"KP"}')])
    outcome = zone.send(bare("/"))
    assert outcome.summary() == "unknown: perhaps stopped by geo (ip.src.country not stated)"


# The connection and the answer


@pytest.mark.parametrize(
    ("line", "verdict"),
    [("/ --tls 1.1", "stopped"), ("/ --tls 1.2", "allowed"), ("http://example.com/", "allowed")],
)
def test_old_tls_is_refused(line: str, verdict: str) -> None:
    assert send(edge(settings={"min_tls_version": "1.2"}), line).verdict == verdict


def test_hsts_is_sent_over_tls_only_and_on_blocks_too() -> None:
    policy = {"enabled": True, "max_age": 300, "include_subdomains": True}
    zone = edge(
        settings={"security_header": {"strict_transport_security": policy}},
        http_request_firewall_custom=[rule("block", 'http.request.uri.path eq "/x"')],
    )
    assert send(zone, "/").headers["strict-transport-security"] == ["max-age=300; includeSubDomains"]
    assert send(zone, "/x").headers["strict-transport-security"] == ["max-age=300; includeSubDomains"]
    assert "strict-transport-security" not in send(zone, "http://example.com/").headers


def test_custom_errors_replace_the_answer() -> None:
    error = rule(
        "sorry", "http.response.code ge 500", "serve_error", action_parameters={"status_code": 503, "content": "soon"}
    )
    zone = edge(http_custom_errors=[error])
    assert send(zone, "/ --status 502").status == 503
    assert send(zone, "/ --status 404").status == 404


def test_an_unstated_answer_is_not_made_up() -> None:
    change = {"headers": {"X-A": {"operation": "set", "value": "1"}, "Vary": {"operation": "add", "value": "X"}}}
    zone = edge(http_response_headers_transform=[rule("h", "true", "rewrite", action_parameters=change)])
    outcome = zone.send(bare("/"))
    assert (outcome.verdict, outcome.status, outcome.headers_complete) == ("allowed", None, False)
    assert outcome.headers == {"x-a": ["1"], "vary": UNKNOWN, "cf-cache-status": ["DYNAMIC"]}


def test_custom_block_responses() -> None:
    response = {"status_code": 404, "content": "no", "content_type": "text/plain"}
    zone = edge(http_request_firewall_custom=[rule("b", "true", action_parameters={"response": response})])
    outcome = send(zone, "/")
    assert (outcome.status, outcome.headers["content-type"]) == (404, ["text/plain"])
