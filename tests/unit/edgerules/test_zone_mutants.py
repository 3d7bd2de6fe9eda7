"""Mutation of a zone: good cases notice nearly every change, poor ones are told what they miss."""

from __future__ import annotations

from pathlib import Path

import pytest
from edge_support import rule, zone

from edgerules.cases import load_cases
from edgerules.cases.mutants import mutants, score
from edgerules.cases.requests import build
from edgerules.simulator import Edge

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"


def test_the_cases_of_the_product_notice_nine_changes_of_ten() -> None:
    file = load_cases(DATA / "product.cases.yaml")
    result = score(file.zone, list(file.cases))
    assert result.total > 150
    assert result.killed / result.total >= 0.9, result.summary()


def test_every_kind_of_change_is_tried() -> None:
    limit = {"characteristics": ["cf.colo.id"], "period": 10, "requests_per_period": 3, "mitigation_timeout": 10}
    changed = zone(
        http_request_firewall_custom=[
            rule("a", 'not (ssl and http.host eq "x") or cf.threat_score gt 5'),
            rule("b", "ip.src in {192.0.2.1 192.0.2.2}", "managed_challenge"),
        ],
        http_ratelimit=[rule("l", "ssl", ratelimit=limit)],
        http_response_headers_transform=[
            rule("h", "true", "rewrite", action_parameters={"headers": {"X-A": {"operation": "set", "value": "1"}}})
        ],
        http_request_cache_settings=[
            rule(
                "c",
                "ssl",
                "set_cache_settings",
                action_parameters={"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}},
            )
        ],
    )
    changes = {(mutant.rule, mutant.change) for mutant in mutants(changed)}
    assert {
        ("a", "disabled"),
        ("a", "or became and"),
        ("a", "and became or"),
        ("a", 'eq became ne: http.host eq "x"'),
        ("a", "gt became le: cf.threat_score gt 5"),
        ("a", "5 became 6: cf.threat_score gt 5"),
        ("a", 'without not: ssl and http.host eq "x"'),
        ("a", "swapped with b"),
        ("b", "without its last item: ip.src in {192.0.2.1 192.0.2.2}"),
        ("l", "requests_per_period 2"),
        ("l", "requests_per_period 4"),
        ("h", "without the header X-A"),
        ("c", "edge_ttl.default 61"),
    } <= changes


def test_changes_that_make_no_difference_are_not_counted(tmp_path: Path) -> None:
    same = zone(http_request_firewall_custom=[rule("a", 'ssl or (ssl and http.host eq "x")')])
    changes = {mutant.change for mutant in mutants(same)}
    assert not any(change.startswith(("without: ssl and", "eq became ne")) for change in changes)
    apart = zone(http_request_firewall_custom=[rule("a", "ssl"), rule("b", "not ssl", "managed_challenge")])
    assert not any("swapped" in mutant.change for mutant in mutants(apart))


def test_survivors_name_what_nobody_tests(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("cases: [{name: n, request: GET https://a.example/x, expect: {rule: r}}]\n")
    tested = zone(http_request_firewall_custom=[rule("r", 'http.request.uri.path in {"/x" "/y"}')])
    result = score(tested, list(load_cases(tmp_path / "c.yaml", tested).cases))
    assert [(mutant.rule, mutant.change[:21]) for mutant in result.survivors] == [("r", "without its last item")]
    assert result.summary() == "mutation score: 2 of 3 mutants are noticed (67 %)"


def test_survivors_come_with_a_request_that_tells_them_apart(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("cases: [{name: n, request: GET https://a.example/, expect: allowed}]\n")
    tested = zone(
        name="a.example",
        lists={"office": {"items": ["203.0.113.0/24"]}},
        http_request_firewall_custom=[
            rule("admin", 'starts_with(http.request.uri.path, "/admin") and not ip.src in $office'),
            rule("agent", 'lower(http.user_agent) contains "sqlmap" and cf.threat_score gt 5'),
            rule("key", 'any(http.request.headers["x-key"][*] eq "1") and http.request.method in {"PUT" "PATCH"}'),
        ],
    )
    survivors = score(tested, list(load_cases(tmp_path / "c.yaml", tested).cases)).survivors
    assert len(survivors) > 10
    lines = {mutant.change: mutant.witness(tested) for mutant in survivors}
    for mutant in survivors:
        line = mutant.witness(tested)
        assert line is not None, lines
        before, after = Edge(tested).send(build(line)), Edge(mutant.zone).send(build(line))
        assert (before.verdict, before.rule) != (after.verdict, after.rule)
