"""Rules as data: what they say, in which order, and how tenants' rules come among them."""

from __future__ import annotations

import pytest
from systems import IPV4, SYSTEMS, built, neurmatic, neuropilot, with_office

from components.edge.config import EdgeSettings, Waf
from components.edge.headers import content_security_policy, security_headers
from components.edge.rules.sql_injection import sql_injection
from components.edge.rules.words import at_or_below, quote
from components.edge.rules.zone import CACHE, CUSTOM, MANAGED, RATE_LIMIT, REDIRECT, RESPONSE, for_owner, rulesets
from components.edge.zone_data import zone_of
from components.site import NeurmaticSite, SecurityHeaders, SiteSettings
from components.values import CloudflarePlan
from edgerules.cases.requests import build
from edgerules.language import compile_filter, parse
from edgerules.simulator import Edge
from edgerules.simulator.fields import Fields

FREE, PRO, BUSINESS, ENTERPRISE = CloudflarePlan


def _refs(settings: EdgeSettings, site: SiteSettings, phase: str) -> list[str]:
    return [rule["ref"] for rule in rulesets(settings, site).get(phase, [])]


@pytest.mark.parametrize("plan", list(CloudflarePlan))
@pytest.mark.parametrize("system", SYSTEMS)
def test_refs_are_unique_and_rules_say_that_they_are_on(system: str, plan: CloudflarePlan) -> None:
    settings, site = SYSTEMS[system](plan=plan)
    for rules in rulesets(settings, site).values():
        refs = [rule["ref"] for rule in rules]
        assert len(refs) == len(set(refs))
        assert all(rule["enabled"] is True and rule["description"] for rule in rules)


def test_who_must_pass_is_asked_first() -> None:
    refs = _refs(*neurmatic(waf=Waf(blocked_countries=("KP",))), CUSTOM)
    assert refs == ["acme-pass", "health-pass", "sql-injection", "bad-bots", "countries", "admin-paths", "methods"]


def test_admin_paths_answer_to_known_addresses_and_without_any_to_nobody() -> None:
    settings, site = neurmatic()
    stranger, colleague = "198.51.100.7", "203.0.113.9"

    def verdict(site: NeurmaticSite, address: str) -> str:
        request = f"GET https://api.neurmatic.com/admin/queues --ip {address} --managed pass --bots pass"
        return Edge(built(zone_of(settings, site, IPV4))).send(build(request)).verdict

    assert verdict(with_office(site), colleague) == "allowed"
    assert verdict(with_office(site), stranger) == "stopped"
    assert verdict(site, colleague) == "stopped"


def test_the_free_plan_has_five_custom_rules_and_they_stop_the_same() -> None:
    settings, site = neuropilot(plan=FREE, waf=Waf(blocked_countries=("KP",)))
    rules = rulesets(settings, site)[CUSTOM]
    assert [rule["ref"] for rule in rules] == [
        "acme-pass",
        "sql-injection",
        "bad-bots",
        "countries",
        "methods-or-body-size",
    ]
    wide = rulesets(settings.model_copy(update={"plan": PRO}), site)[CUSTOM]
    apart = [rule["expression"] for rule in wide if rule["ref"] in ("methods", "body-size")]
    assert rules[-1]["expression"] == " or ".join(f"({expression})" for expression in apart)


def test_owasp_is_told_level_and_threshold() -> None:
    settings, site = neurmatic(waf=Waf(owasp_threshold=40, owasp_paranoia=3))
    (owasp,) = [rule for rule in rulesets(settings, site)[MANAGED] if rule["ref"] == "owasp"]
    overrides = owasp["action_parameters"]["overrides"]
    assert overrides["rules"][0]["score_threshold"] == 40
    assert {each["category"]: each["enabled"] for each in overrides["categories"]} == {
        "paranoia-level-2": True,
        "paranoia-level-3": True,
        "paranoia-level-4": False,
    }


def test_what_a_plan_has_not_is_not_declared() -> None:
    assert MANAGED not in rulesets(*neurmatic(plan=FREE))
    (limit,) = rulesets(*neurmatic(plan=FREE))[RATE_LIMIT]
    assert "http.host" not in limit["expression"], "rate limits of the free plan know paths only"
    assert "action_parameters" not in limit, "nor an answer of one's own"
    assert limit["ratelimit"]["mitigation_timeout"] == 10
    business = rulesets(*neurmatic(plan=BUSINESS))[RATE_LIMIT]
    assert 'http.request.method eq "POST"' in business[0]["expression"]


def test_enterprise_sees_bodies_and_has_the_origin_in_the_key() -> None:
    body = [rule for rule in rulesets(*neuropilot(plan=ENTERPRISE))[CUSTOM] if rule["ref"] == "body-size"]
    assert "http.request.body.size gt 524288" in body[0]["expression"]
    reads = [rule for rule in rulesets(*neurmatic(plan=ENTERPRISE))[CACHE] if rule["ref"] == "api-reads"]
    assert reads[0]["action_parameters"]["cache_key"] == {"custom_key": {"header": {"include": ["origin"]}}}


def test_neuropilots_api_is_never_cached() -> None:
    assert _refs(*neuropilot(), CACHE) == ["api-uncached", "assets"]


INJECTIONS = (
    "/?id=1' OR '1'='1",
    "/?id=1%27%20or%20%271%27=%271",
    '/?id=1" or "a"="a',
    "/?id=1' or 1=1--",
    "/?id=1') or 1=1#",
    "/?id=admin'--",
    "/?id=admin'/*",
    "/?id=1' UNION ALL SELECT null,null--",
    "/?id=1 union/**/select 1",
    "/?id=1;drop table users",
    "/?id=1'; exec xp_cmdshell('dir')",
    "/?id=1 and sleep(5)",
    "/?id=(select benchmark(1000000,md5(1)))",
    "/?id=1'; waitfor delay '0:0:5'",
    "/?id=1 and extractvalue(1,concat(0x7e,version()))",
    "/?id=-1 union select null,table_name from information_schema.tables",
    "/items/1'||'1",
)
HONEST = (
    "/",
    "/search?q=select",
    "/search?q=O%27Reilly+or+O%27Brien",
    "/search?q=the+union+selects+its+committee",
    "/search?q=the+boys%27+or+girls%27+team",
    "/search?q=drop+table+tennis",
    "/search?q=insert+coin%3B+update+later",
    "/search?q=or+and+not",
    "/search?q=rock+%27n%27+roll",
    "/search?q=sleep+(and+dream)",
    "/search?q=1+or+2+items",
    "/callback?code=4%2F0AeanS0&state=a'b",
    "/items?filter=name%20eq%20'bolt'%20and%20size%20gt%205",
    "/docs/information-schema",
    "/api/v1/items?sort=-created&page[size]=10",
)


@pytest.mark.parametrize(
    ("address", "stopped"), [*((each, True) for each in INJECTIONS), *((e, False) for e in HONEST)]
)
def test_sql_injection(address: str, stopped: bool) -> None:
    matches = compile_filter(parse(sql_injection()["expression"]), {})
    assert matches(Fields(build(f"GET https://api.neurmatic.com{address}"), "cloudflare")) is stopped


def test_words() -> None:
    assert quote('a"b\\c') == '"a\\"b\\\\c"'
    assert at_or_below("/Admin/") == (
        'lower(http.request.uri.path) eq "/admin" or starts_with(lower(http.request.uri.path), "/admin/")'
    )


def test_headers_are_left_out_on_request_and_hsts_is_the_settings() -> None:
    settings, site = neurmatic()
    quiet = site.model_copy(update={"headers": SecurityHeaders(xss_protection=None)})
    assert "X-XSS-Protection" not in security_headers(quiet)
    set_by_rule = rulesets(settings, site)[RESPONSE][0]["action_parameters"]["headers"]
    assert "Strict-Transport-Security" not in set_by_rule
    assert {*security_headers(site)} - {*set_by_rule} == {"Strict-Transport-Security"}


@pytest.mark.parametrize(
    ("policy", "connect"),
    [
        ("default-src 'self'", "connect-src 'self' https://api.neurmatic.com wss://api.neurmatic.com"),
        (
            "connect-src 'none' https://x.example; img-src *",
            "connect-src 'none' https://x.example https://api.neurmatic.com wss://api.neurmatic.com",
        ),
    ],
)
def test_pages_may_talk_to_the_api(policy: str, connect: str) -> None:
    _, site = neurmatic()
    changed = site.model_copy(update={"headers": SecurityHeaders(content_security_policy=policy)})
    parts = content_security_policy(changed).split("; ")
    assert parts[-1] == connect
    assert sum(part.startswith("connect-src") for part in parts) == 1


def _tenant() -> tuple[EdgeSettings, NeurmaticSite]:
    return neurmatic("staging")


def test_a_tenant_writes_no_rules_but_hands_them_over() -> None:
    settings, site = _tenant()
    assert rulesets(settings, site) == {}
    handed = for_owner(settings, site)
    assert handed["tenant"] == "staging"
    refs = [rule["ref"] for rules in handed["rules"].values() for rule in rules]
    assert refs
    assert all(ref.startswith("staging-") for ref in refs)


def test_every_rule_of_a_tenant_names_its_own_hosts_only() -> None:
    settings, site = _tenant()
    for rules in for_owner(settings, site)["rules"].values():
        for rule in rules:
            assert any(name in rule["expression"] for name in site.names), rule["ref"]
            assert '"neurmatic.com"' not in rule["expression"]


def test_the_owner_takes_them_after_its_own_and_the_plan_limits_them() -> None:
    settings, site = neurmatic()
    handed = for_owner(*_tenant())
    merged = rulesets(settings, site, [handed])
    assert [rule["ref"] for rule in merged[REDIRECT]] == ["https", "canonical-name", "staging-canonical-name"]
    assert [rule["ref"] for rule in merged[RATE_LIMIT]] == ["limit-login-and-registration", "limit-api"]
    for phase, rules in merged.items():
        refs = [rule["ref"] for rule in rules]
        assert len(refs) == len(set(refs)), phase


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        ("GET https://api.neurmatic.com/ --country KP --field cf.client.bot=false", "stopped"),
        ("GET https://api.neurmatic.com/ --country KP --field cf.client.bot=true", "allowed"),
        ("GET https://api.neurmatic.com/ --country FR", "allowed"),
        ("GET https://api.neurmatic.com/.well-known/acme-challenge/a --country KP", "allowed"),
    ],
)
def test_countries_are_refused_but_not_search_engines_and_authorities(request_: str, verdict: str) -> None:
    settings, site = neurmatic(waf=Waf(blocked_countries=("KP",)))
    zone = Edge(built(zone_of(settings, site, IPV4)))
    outcome = zone.send(build(f"{request_} --ip 192.0.2.7 --managed pass --bots pass"))
    assert outcome.verdict == verdict, outcome.summary()
    assert outcome.rule == ("countries" if verdict == "stopped" else None)
