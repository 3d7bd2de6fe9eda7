"""What the component really declares, as the engine gets to see it."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from edge_mocks import Declared, declare, declared_zone
from systems import IPV4, IPV6, SYSTEMS, neurmatic, neuropilot

from components.edge.component import CloudflareEdge, CloudflareEdgeArgs
from components.edge.config import HealthCheck, Notifications
from components.edge.rules.zone import for_owner
from components.edge.zone_data import zone_of
from components.values import CloudflarePlan, OnMisfit
from edgerules.zone import Document, build

FREE, PRO, BUSINESS, ENTERPRISE = CloudflarePlan
ACCOUNT = "a" * 32


def _edge(system: str, **changes: Any) -> Declared:
    settings, site = SYSTEMS[system](**changes)
    return declare(CloudflareEdgeArgs(settings, site, IPV4, IPV6))


def _tokens(declared: Declared) -> set[str]:
    return {token.rsplit(":", 1)[-1] for token, _, _ in declared.resources}


@pytest.mark.parametrize("plan", list(CloudflarePlan))
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_exported_data_is_the_zone_that_is_declared(system: str, plan: CloudflarePlan) -> None:
    settings, site = SYSTEMS[system](plan=plan)
    declared = declared_zone(declare(CloudflareEdgeArgs(settings, site, IPV4, IPV6)), settings).model_dump()
    data = build(Document("zone", zone_of(settings, site, IPV4, IPV6))).model_dump()
    del declared["must_pass"], data["must_pass"]  # only for the linter: no resource holds it
    for zone in (declared, data):
        zone["records"].sort(
            key=lambda record: (record["name"], record["type"], str(record["content"]), str(record["data"]))
        )
    assert declared == data


@pytest.mark.parametrize("system", SYSTEMS)
def test_one_ruleset_for_each_phase(system: str) -> None:
    phases = [ruleset["phase"] for ruleset in _edge(system).of("Ruleset")]
    assert len(phases) == len(set(phases)) == 6
    assert {ruleset["kind"] for ruleset in _edge(system).of("Ruleset")} == {"zone"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_a_default_that_the_api_would_fill_in(system: str) -> None:
    """A proxied record answers with ttl 1, a rule with `enabled`: left out, both are a diff at every update."""
    declared = _edge(system)
    assert all(record["ttl"] == 1 for record in declared.of("DnsRecord") if record.get("proxied"))
    rules = [rule for ruleset in declared.of("Ruleset") for rule in ruleset["rules"]]
    assert all(rule["enabled"] is True and rule["ref"] for rule in rules)


def test_hsts_has_the_shape_of_the_api() -> None:
    (setting,) = [each for each in _edge("neurmatic").of("ZoneSetting") if each["settingId"] == "security_header"]
    assert setting["value"]["strict_transport_security"]["include_subdomains"] is True


def test_status_codes_have_the_name_of_the_sdk() -> None:
    (cache,) = [each for each in _edge("neurmatic").of("Ruleset") if each["phase"] == "http_request_cache_settings"]
    (assets,) = [rule for rule in cache["rules"] if rule["ref"] == "assets"]
    assert assets["actionParameters"]["edgeTtl"]["statusCodeTtls"] == [
        {"statusCodeRange": {"from": 300, "to": 599}, "value": -1}
    ]


def test_no_provider_and_no_zone_is_made() -> None:
    for system in SYSTEMS:
        tokens = {token for token, _, _ in _edge(system).resources}
        assert not [token for token in tokens if token.startswith("pulumi:providers:")]
        assert "cloudflare:index/zone:Zone" not in tokens, "a zone is adopted by its id, never created or destroyed"


def test_a_tenant_declares_its_records_only_and_hands_its_rules_over() -> None:
    settings, site = neurmatic("staging")
    declared = declare(CloudflareEdgeArgs(settings, site, IPV4))
    assert _tokens(declared) == {"CloudflareEdge", "DnsRecord"}
    assert declared.component is not None
    assert declared.component.rules_for_owner == for_owner(settings, site)
    assert declared.component.rate_limits == []


@pytest.mark.parametrize("as_output", [False, True])
def test_the_owner_takes_tenants_rules_from_their_stacks_output(as_output: bool) -> None:
    settings, site = neurmatic()
    handed = [for_owner(*neurmatic("staging"))]

    def args() -> CloudflareEdgeArgs:
        given = pulumi.Output.from_input(handed) if as_output else handed
        return CloudflareEdgeArgs(settings, site, IPV4, IPV6, tenants=given)

    zone = declared_zone(declare(args), settings)
    assert zone.rules == build(Document("zone", zone_of(settings, site, tenants=handed))).rules
    refs = [rule.ref for rule in zone.rules_of("http_request_dynamic_redirect")]
    assert refs == ["https", "canonical-name", "staging-canonical-name"]


def test_what_cannot_be_stops_the_program_with_sentences() -> None:
    settings, site = neurmatic(on_misfit=OnMisfit.REFUSE)
    with pytest.raises(pulumi.RunError, match="3 rate limits, but the pro plan has 2"):
        declare(CloudflareEdgeArgs(settings, site, IPV4))


def test_a_server_needs_an_address() -> None:
    settings, site = neurmatic()
    with pytest.raises(pulumi.RunError, match="no address"):
        declare(CloudflareEdgeArgs(settings, site))


def test_the_registrar_is_told() -> None:
    seen: list[dict[str, Any]] = []

    def look(edge: CloudflareEdge) -> object:
        assert edge.dnssec is not None
        return edge.dnssec.apply(seen.append)

    settings, site = neurmatic()
    declare(CloudflareEdgeArgs(settings, site, IPV4), look)
    assert seen[0]["ds"].startswith("example. 3600 IN DS")
    assert not _edge("neurmatic", dnssec=False).of("ZoneDnssec")


def test_cloudflare_proves_itself_with_a_certificate_of_the_zones_own_ca() -> None:
    declared = _edge("neurmatic")
    (uploaded,) = declared.of("AuthenticatedOriginPullsCertificate")
    (authority,) = declared.of("SelfSignedCert")
    leaves = declared.of("LocallySignedCert")
    assert authority["isCaCertificate"] is True
    assert {leaf["caCertPem"] for leaf in leaves} == {
        leaf["caCertPem"] for leaf in leaves if "edge-pulls-ca " in leaf["caCertPem"]
    }
    assert "edge-pulls-cloudflare certPem" in uploaded["certificate"], "the leaf, not the CA"
    assert all("client_auth" in leaf["allowedUses"] for leaf in leaves)
    (switch,) = declared.of("AuthenticatedOriginPullsSettings")
    assert switch["enabled"] is True
    assert declared.names().index("edge-pulls-certificate") < declared.names().index("edge-pulls-enabled")
    assert not _edge("neuropilot").of("AuthenticatedOriginPullsSettings"), "platforms do not check"


def test_keys_are_secret() -> None:
    found: list[bool] = []

    def look(edge: CloudflareEdge) -> object:
        assert edge.origin_pulls is not None
        return pulumi.Output.from_input(edge.origin_pulls.probe.key.is_secret()).apply(found.append)

    settings, site = neurmatic()
    declare(CloudflareEdgeArgs(settings, site, IPV4), look)
    assert found == [True]


def test_the_origin_can_have_cloudflares_own_certificate() -> None:
    settings, site = neurmatic()
    (certificate,) = declare(CloudflareEdgeArgs(settings, site, IPV4, origin_certificate=True)).of(
        "OriginCaCertificate"
    )
    assert certificate["hostnames"] == sorted(site.names)
    assert certificate["requestType"] == "origin-rsa"
    assert not _edge("neurmatic").of("OriginCaCertificate")


@pytest.mark.parametrize(
    ("plan", "enabled", "checks"), [(FREE, True, 0), (PRO, True, 1), (PRO, False, 0), (ENTERPRISE, True, 1)]
)
def test_health_checks_where_the_plan_has_them(plan: CloudflarePlan, enabled: bool, checks: int) -> None:
    found = _edge("neurmatic", plan=plan, health=HealthCheck(enabled=enabled)).of("Healthcheck")
    assert len(found) == checks
    assert all(
        each["address"] == "api.neurmatic.com" and each["httpConfig"]["path"] == "/api/v1/health" for each in found
    )


def test_notifications_go_to_everybody_and_only_where_the_plan_has_them() -> None:
    who = Notifications(emails=("ops@neurmatic.com", "cto@neurmatic.com"))

    def kinds(plan: CloudflarePlan) -> set[str]:
        found = _edge("neurmatic", plan=plan, account_id=ACCOUNT, notifications=who).of("NotificationPolicy")
        assert all([each["id"] for each in policy["mechanisms"]["emails"]] == list(who.emails) for policy in found)
        return {policy["alertType"] for policy in found}

    assert "health_check_status_notification" not in kinds(FREE)
    assert kinds(PRO) - kinds(FREE) == {"health_check_status_notification"}
    assert kinds(BUSINESS) - kinds(PRO) == {"clickhouse_alert_fw_anomaly"}
    assert not _edge("neurmatic", notifications=who).of("NotificationPolicy"), "they belong to an account"


@pytest.mark.parametrize(("wanted", "value"), [(True, "on"), (False, "off")])
def test_tiers_are_switched_together(wanted: bool, value: str) -> None:
    declared = _edge("neurmatic", tiered_cache=wanted)
    assert [each["value"] for kind in ("ArgoTieredCaching", "TieredCache") for each in declared.of(kind)] == [value] * 2


def test_what_became_of_each_limit_is_an_output() -> None:
    component = _edge("neuropilot").component
    assert component is not None
    assert [text.split(":")[0] for text in component.rate_limits] == ["auth", "general"]


def test_neuropilot_has_no_server() -> None:
    settings, site = neuropilot()
    assert declare(CloudflareEdgeArgs(settings, site)).of("Ruleset")
