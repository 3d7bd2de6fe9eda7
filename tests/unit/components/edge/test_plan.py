"""What cannot be is said when the settings load, in a sentence that says what to do."""

from __future__ import annotations

import pytest
from systems import SYSTEMS, neurmatic

from components.edge.bots import bot_management
from components.edge.config import BotAction, Bots
from components.edge.plan import limit_notes, plan_findings, plan_notes
from components.edge.rules.zone import for_owner
from components.edge.zone_settings import hsts, zone_settings
from components.site import AdminAccess, Caching
from components.values import CloudflarePlan, OnMisfit

FREE, PRO, BUSINESS, ENTERPRISE = CloudflarePlan


@pytest.mark.parametrize("plan", list(CloudflarePlan))
@pytest.mark.parametrize("system", SYSTEMS)
def test_both_systems_fit_every_plan_by_default(system: str, plan: CloudflarePlan) -> None:
    assert plan_findings(*SYSTEMS[system](plan=plan)) == []


@pytest.mark.parametrize(
    ("edge", "begins"),
    [
        ({"on_misfit": OnMisfit.REFUSE}, "edge.on_misfit: 3 rate limits, but the pro plan has 2"),
        ({"bots": Bots(ai=BotAction.CHALLENGE)}, 'edge.bots.ai: given "managed_challenge"'),
        ({"bots": Bots(verified=BotAction.CHALLENGE)}, 'edge.bots.verified: given "managed_challenge"'),
    ],
)
def test_findings(edge: dict[str, object], begins: str) -> None:
    settings, site = neurmatic(**edge)
    (finding,) = plan_findings(settings, site)
    assert finding.startswith(begins)


@pytest.mark.parametrize(
    ("plan", "seconds", "found"), [(FREE, 3600, 1), (PRO, 3600, 0), (PRO, 60, 1), (BUSINESS, 60, 0)]
)
def test_files_are_kept_for_as_long_as_the_plan_can(plan: CloudflarePlan, seconds: int, found: int) -> None:
    settings, site = neurmatic(plan=plan)
    findings = plan_findings(settings, site.model_copy(update={"caching": Caching(assets=seconds)}))
    assert len(findings) == found
    assert all(text.startswith("site.caching.assets:") for text in findings)


def test_a_rule_that_is_too_long_names_the_setting_behind_it() -> None:
    settings, site = neurmatic()
    addresses = tuple(f"203.0.{net}.{host}/32" for net in range(3) for host in range(100))
    findings = plan_findings(settings, site.model_copy(update={"admin": AdminAccess(addresses=addresses)}))
    assert [text.split(":")[0] for text in findings] == ["site.admin.addresses"]


def test_too_many_tenants_do_not_fit() -> None:
    settings, site = neurmatic()
    tenant, tenants_site = neurmatic("staging")
    many = [for_owner(tenant, tenants_site) for _ in range(12)]
    findings = plan_findings(settings, site, many)
    assert any("http_request_dynamic_redirect" in text or "http_request_cache_settings" in text for text in findings)


def test_a_tenants_limits_that_find_no_room_are_named() -> None:
    settings, site = neurmatic()
    notes = limit_notes(settings, site, [for_owner(*neurmatic("staging"))])
    assert [text.split(":")[0] for text in notes][-2:] == ["staging-limit-login-and-registration", "staging-limit-api"]


def test_what_the_free_plan_leaves_out_is_said() -> None:
    notes = plan_notes(*neurmatic(plan=FREE))
    assert any("no OWASP rules" in text for text in notes)
    assert any("no health checks" in text for text in notes)


def test_a_setting_without_effect_is_said() -> None:
    assert not any("edge.bots.likely" in text for text in plan_notes(*neurmatic()))
    assert any("edge.bots.likely" in text for text in plan_notes(*neurmatic(bots=Bots(likely=BotAction.BLOCK))))


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        (FREE, {"fight_mode", "ai_bots_protection"}),
        (
            PRO,
            {
                "enable_js",
                "sbfm_definitely_automated",
                "sbfm_verified_bots",
                "sbfm_static_resource_protection",
                "ai_bots_protection",
            },
        ),
    ],
)
def test_bots_get_only_the_fields_of_the_plan(plan: CloudflarePlan, fields: set[str]) -> None:
    settings, _ = neurmatic(plan=plan)
    assert set(bot_management(settings)) == fields


@pytest.mark.parametrize("plan", [BUSINESS, ENTERPRISE])
def test_likely_bots_are_for_greater_plans(plan: CloudflarePlan) -> None:
    settings, _ = neurmatic(plan=plan)
    assert bot_management(settings)["sbfm_likely_automated"] == "managed_challenge"


def test_zone_settings() -> None:
    settings, site = neurmatic()
    values = zone_settings(settings, site)
    assert (values["ssl"], values["min_tls_version"], values["tls_1_3"]) == ("strict", "1.2", "on")
    assert values["security_header"] == {
        "strict_transport_security": {
            "enabled": True,
            "max_age": 31536000,
            "include_subdomains": True,
            "preload": True,
            "nosniff": False,
        }
    }
    zero = settings.model_copy(update={"tls": settings.tls.model_copy(update={"zero_rtt": True})})
    assert zone_settings(zero, site)["tls_1_3"] == "zrt", "the API answers this for `on` with 0-RTT"


@pytest.mark.parametrize(
    ("header", "enabled", "age"),
    [(None, False, 0), ("max-age=60", True, 60), ('max-age="300"; preload', True, 300)],
)
def test_hsts_is_read_from_the_header(header: str | None, enabled: bool, age: int) -> None:
    read = hsts(header)
    assert (read["enabled"], read["max_age"], read["include_subdomains"]) == (enabled, age, False)
