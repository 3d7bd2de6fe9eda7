"""Rulesets: one for each phase, judged as the real API judges, and a zone that can be asked about a request."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_clients import Answer, Cloudflare, new_zone

from edgerules.cases.requests import build, from_line
from edgerules.simulator import Edge
from edgerules.zone import Document
from edgerules.zone import build as zone_of
from rehearsal.clouds.cloudflare.errors import ERRORS
from rehearsal.clouds.servers import Clouds, Zone

WAF, LIMITS, CACHE = "http_request_firewall_custom", "http_ratelimit", "http_request_cache_settings"
BLOCK = {"ref": "admin", "expression": 'http.request.uri.path contains "/admin"', "action": "block"}
LIMIT = {
    "ref": "login",
    "expression": 'http.request.uri.path eq "/login"',
    "action": "block",
    "ratelimit": {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": 60,
        "requests_per_period": 5,
        "mitigation_timeout": 60,
    },
}


def create(cloudflare: Cloudflare, zone: Zone, rules: list[Any], phase: str = WAF, **rest: Any) -> Answer:
    ruleset = {"name": "ours", "kind": "zone", "phase": phase, "rules": rules, **rest}
    return cloudflare("POST", f"zones/{zone.id}/rulesets", ruleset)


def test_a_ruleset_comes_back_with_ids_and_versions(cloudflare: Cloudflare, zone: Zone) -> None:
    made = create(cloudflare, zone, [BLOCK], description="d").result
    rule = made["rules"][0]
    assert (made["version"], rule["version"], rule["enabled"], rule["ref"]) == ("1", "1", True, "admin")
    path = f"zones/{zone.id}/rulesets"
    assert cloudflare("GET", f"{path}/{made['id']}").result == made
    assert cloudflare("GET", f"{path}/phases/{WAF}/entrypoint").result == made
    listed = cloudflare("GET", path).result
    assert [one["id"] for one in listed] == [made["id"]]
    assert "rules" not in listed[0]


def test_a_rule_keeps_its_id_by_its_ref_only(cloudflare: Cloudflare, zone: Zone) -> None:
    nameless = {key: value for key, value in BLOCK.items() if key != "ref"}
    made = create(cloudflare, zone, [BLOCK, {**nameless, "expression": "ssl"}]).result
    changed = [{**BLOCK, "action": "managed_challenge"}, {**nameless, "expression": "not ssl"}]
    path = f"zones/{zone.id}/rulesets/{made['id']}"
    again = cloudflare("PUT", path, {"rules": changed}).result
    assert again["version"] == "2"
    assert [old["id"] == new["id"] for old, new in zip(made["rules"], again["rules"], strict=True)] == [True, False]
    assert [rule["version"] for rule in again["rules"]] == ["2", "1"]


def test_a_phase_has_one_ruleset(cloudflare: Cloudflare, zone: Zone) -> None:
    made = create(cloudflare, zone, [BLOCK]).result
    answer = create(cloudflare, zone, [])
    assert answer.error == (
        400,
        20217,
        f"'zone' is not a valid value for kind because exceeded maximum number of zone rulesets for phase {WAF}",
    )
    assert answer.body["errors"][0]["source"] == {"pointer": "/kind"}
    entrypoint = f"zones/{zone.id}/rulesets/phases/{WAF}/entrypoint"
    assert cloudflare("PUT", entrypoint, {"rules": []}).result["version"] == "2"
    assert 'unknown field "kind"' in cloudflare("PUT", entrypoint, {"kind": "zone", "rules": []}).error[2]
    assert cloudflare("DELETE", f"zones/{zone.id}/rulesets/{made['id']}").status == 204
    assert cloudflare("GET", entrypoint).error[1] == 10003
    assert create(cloudflare, zone, []).result


def test_single_rules_are_added_changed_and_removed(cloudflare: Cloudflare, zone: Zone) -> None:
    made = create(cloudflare, zone, []).result
    path = f"zones/{zone.id}/rulesets/{made['id']}/rules"
    rule = cloudflare("POST", path, BLOCK).result["rules"][0]
    changed = cloudflare("PATCH", f"{path}/{rule['id']}", {**BLOCK, "enabled": False}).result["rules"][0]
    assert (changed["id"], changed["enabled"]) == (rule["id"], False)
    assert cloudflare("DELETE", f"{path}/{rule['id']}").result["rules"] == []
    assert cloudflare("DELETE", f"{path}/{rule['id']}").status == 404


def limit(**change: Any) -> dict[str, Any]:
    return {**LIMIT, "ratelimit": {**LIMIT["ratelimit"], **change}}  # type: ignore[dict-item]


# what is wrong, the plan, the phase, the rules, the refusal, a part of its words
REFUSED: list[tuple[str, str, str, list[Any], str, str]] = [
    ("syntax", "pro", WAF, [{**BLOCK, "expression": 'http.host eq "a" and'}], "expression", "is not a valid value"),
    ("unknown field", "pro", WAF, [{**BLOCK, "expression": 'http.hots eq "a"'}], "expression", "http.hots"),
    ("type", "pro", WAF, [{**BLOCK, "expression": "http.host eq 1"}], "expression", "Integer"),
    ("switched off, but wrong", "pro", WAF, [{**BLOCK, "expression": "(", "enabled": False}], "expression", ""),
    ("second rule", "pro", WAF, [BLOCK, {**BLOCK, "ref": "b", "expression": "("}], "expression", ""),
    ("operator of a higher plan", "pro", WAF, [{**BLOCK, "expression": 'http.host matches "a+"'}], "expression", ""),
    ("response field in a firewall", "pro", WAF, [{**BLOCK, "expression": "http.response.code eq 404"}], "expression",
     "http.response.code"),
    ("unknown list", "pro", WAF, [{**BLOCK, "expression": "ip.src in $nowhere"}], "expression", "nowhere"),
    ("same ref", "pro", WAF, [BLOCK, BLOCK], "rule-invalid", "admin"),
    ("action of another phase", "pro", WAF, [{**BLOCK, "action": "route"}], "rule-invalid", "no action route"),
    ("no such action", "pro", WAF, [{**BLOCK, "action": "explode"}], "rule-invalid", ""),
    ("unknown property", "pro", WAF, [{**BLOCK, "actoin": "x"}], "rule-invalid", "actoin"),
    ("no expression", "pro", WAF, [{"ref": "a", "action": "block"}], "rule-invalid", "expression"),
    ("log below Enterprise", "pro", WAF, [{**BLOCK, "action": "log"}], "rule-entitlement", "log"),
    ("too many", "free", WAF, [{**BLOCK, "ref": f"r{n}"} for n in range(6)], "rules-many", "6 out of 5"),
    ("too many limits", "free", LIMITS, [LIMIT, {**LIMIT, "ref": "b"}], "rules-many", "2 out of 1"),
    ("no limit", "pro", LIMITS, [{k: v for k, v in LIMIT.items() if k != "ratelimit"}], "rule-invalid", "ratelimit"),
    ("no such period", "enterprise", LIMITS, [limit(period=61)], "rule-invalid", "61"),
    ("period of a higher plan", "pro", LIMITS, [limit(period=120)], "rule-entitlement",
     "not entitled to use the period 120, can only use a period among [10, 15, 20, 30, 40, 45, 60]"),
    ("timeout of a higher plan", "free", LIMITS, [limit(period=10, mitigation_timeout=60)], "rule-entitlement",
     "not entitled to use a mitigation timeout different from 10"),
    ("blank", "pro", WAF, [{**BLOCK, "expression": ""}], "expression-blank", "cannot be blank"),
    ("no data centre", "pro", LIMITS, [limit(characteristics=["ip.src"])], "rule-colo", "cf.colo.id"),
    ("counting on Pro", "pro", LIMITS, [limit(counting_expression="http.response.code eq 401")], "rule-entitlement",
     "counting"),
    ("TTL below the plan's", "free", CACHE, [{**BLOCK, "action": "set_cache_settings", "action_parameters":
     {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}}}], "rule-entitlement", "60"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=[case[0] for case in REFUSED])
def test_rules_that_cloudflare_refuses(clouds: Clouds, cloudflare: Cloudflare, case: Any) -> None:
    _, plan, phase, rules, name, words = case
    zone = new_zone(clouds, plan)
    answer = create(cloudflare, zone, rules, phase)
    status, code, message = answer.error
    assert (status, code) == (ERRORS[name].status, ERRORS[name].code), message
    assert words in message
    assert answer.body["errors"][0]["source"]["pointer"].startswith("/rules")
    assert cloudflare("GET", f"zones/{zone.id}/rulesets").result == []


def test_the_place_of_a_mistake_is_named(cloudflare: Cloudflare, zone: Zone) -> None:
    wrong = {**BLOCK, "ref": "b", "expression": "http.host eq"}
    answer = create(cloudflare, zone, [BLOCK, wrong])
    assert answer.body["errors"][0]["source"]["pointer"] == "/rules/1/expression"
    assert answer.error[2].startswith("'http.host eq' is not a valid value for expression because ")


def test_a_change_that_is_refused_changes_nothing(cloudflare: Cloudflare, zone: Zone) -> None:
    made = create(cloudflare, zone, [BLOCK]).result
    path = f"zones/{zone.id}/rulesets/{made['id']}"
    assert cloudflare("PUT", path, {"rules": [BLOCK, {**BLOCK, "ref": "b", "expression": "("}]}).status == 400
    assert cloudflare("PUT", path, {"rules": "none"}).status == 400
    assert cloudflare("PUT", path, {"phase": LIMITS, "rules": []}).status == 400
    assert cloudflare("GET", path).result == made


def test_what_only_means_the_wrong_thing_is_taken_as_the_real_one_takes_it(cloudflare: Cloudflare, zone: Zone) -> None:
    never = {**BLOCK, "ref": "never", "expression": 'lower(http.host) eq "ABC"'}
    everything = {**BLOCK, "ref": "all", "expression": "true"}
    assert create(cloudflare, zone, [everything, never, BLOCK]).result


@pytest.mark.parametrize(
    "wrong", [{"kind": "custom"}, {"phase": "http_request_lunch"}, {"name": ""}, {"rules": [1]}], ids=str
)
def test_rulesets_that_are_none(cloudflare: Cloudflare, zone: Zone, wrong: dict[str, Any]) -> None:
    ruleset = {"name": "ours", "kind": "zone", "phase": WAF, "rules": [], **wrong}
    assert cloudflare("POST", f"zones/{zone.id}/rulesets", ruleset).error[:2] == (400, 10014)


def ask(clouds: Clouds, zone: Zone, line: str) -> Any:
    """What the zone, as the API holds it, does with a request."""
    edge = Edge(zone_of(Document("emulated zone", clouds.zone(zone.id))))
    return edge.send(build(from_line(line), {"host": zone.name}))


def test_the_emulated_zone_answers_requests(clouds: Clouds, cloudflare: Cloudflare, zone: Zone) -> None:
    records = f"zones/{zone.id}/dns_records"
    cloudflare("POST", records, {"name": "api", "type": "A", "content": "192.0.2.1", "proxied": True})
    cloudflare("POST", records, {"name": "direct", "type": "A", "content": "192.0.2.1"})
    office = cloudflare("POST", f"accounts/{zone.account_id}/rules/lists", {"name": "office", "kind": "ip"}).result
    items = [{"ip": "203.0.113.0/24"}]
    cloudflare("POST", f"accounts/{zone.account_id}/rules/lists/{office['id']}/items", items)
    guarded = {**BLOCK, "expression": f"{BLOCK['expression']} and not ip.src in $office"}
    assert create(cloudflare, zone, [guarded]).result
    cloudflare("PATCH", f"zones/{zone.id}/settings/min_tls_version", {"value": "1.2"})
    api = f"https://api.{zone.name}"
    rest = "--managed pass --bots pass"
    assert ask(clouds, zone, f"GET {api}/admin --ip 198.51.100.1 {rest}").verdict == "stopped"
    assert ask(clouds, zone, f"GET {api}/admin --ip 203.0.113.9 {rest}").verdict == "allowed"
    assert ask(clouds, zone, f"GET {api}/ --ip 198.51.100.1 {rest}").verdict == "allowed"
    assert ask(clouds, zone, f"GET {api}/ --tls 1.1 {rest}").verdict == "stopped"
    assert ask(clouds, zone, f"GET https://direct.{zone.name}/admin {rest}").verdict == "allowed"
    in_use = cloudflare("DELETE", f"accounts/{zone.account_id}/rules/lists/{office['id']}")
    assert in_use.error[1] == ERRORS["list-in-use"].code
