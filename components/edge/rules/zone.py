"""All rules of a zone by phase: Cloudflare keeps one ruleset for each phase and zone, so they are merged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.edge.config import EdgeSettings
from components.edge.rules import caching, firewall, managed, rate_limits, redirects, response_headers
from components.edge.rules.words import Rule
from components.site import SiteSettings
from components.values import ZoneRole
from edgerules.tables.limits import max_rules
from edgerules.tables.plans import Plan

REDIRECT = "http_request_dynamic_redirect"
CUSTOM = "http_request_firewall_custom"
RATE_LIMIT = "http_ratelimit"
MANAGED = "http_request_firewall_managed"
CACHE = "http_request_cache_settings"
RESPONSE = "http_response_headers_transform"

Phases = dict[str, list[Rule]]
HandedOver = Mapping[str, Any]
"""What a tenant gives to the owner: `tenant`, its name, and `rules` by phase."""


def host_rules(settings: EdgeSettings, site: SiteSettings) -> Phases:
    """Rules that name the site's hosts: the owner's own, or a tenant's to be handed over."""
    return {
        REDIRECT: [redirects.to_canonical(site)],
        CUSTOM: firewall.host_rules(settings, site),
        RATE_LIMIT: rate_limits.host_rules(settings, site),
        CACHE: caching.host_rules(settings, site),
        RESPONSE: response_headers.host_rules(site),
    }


def for_owner(settings: EdgeSettings, site: SiteSettings) -> dict[str, Any]:
    """A tenant's rules under its own name, so that no ref is there twice."""
    tenant = site.apex.removesuffix(settings.zone).strip(".").replace(".", "-") or "apex"
    named = {
        phase: [{**rule, "ref": f"{tenant}-{rule['ref']}"} for rule in rules]
        for phase, rules in host_rules(settings, site).items()
    }
    return {"tenant": tenant, "zone": settings.zone, "rules": named}


def rulesets(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver] = ()) -> Phases:
    """The owner's rulesets; a tenant has none. An empty one is left out."""
    if settings.role is ZoneRole.TENANT:
        return {}
    own = host_rules(settings, site)
    phases = {
        REDIRECT: [redirects.to_https(site), *own[REDIRECT]],
        CUSTOM: [*firewall.zone_rules(settings, site), *own[CUSTOM]],
        RATE_LIMIT: own[RATE_LIMIT],
        MANAGED: managed.managed_rules(settings),
        CACHE: own[CACHE],
        RESPONSE: own[RESPONSE],
    }
    merged = {phase: [*rules, *_handed_over(tenants, phase)] for phase, rules in phases.items()}
    plan = Plan(settings.plan.value)
    merged[CUSTOM] = squeezed(merged[CUSTOM], max_rules(plan, CUSTOM) or len(merged[CUSTOM]))
    merged[RATE_LIMIT] = merged[RATE_LIMIT][: max_rules(plan, RATE_LIMIT)]
    return {phase: rules for phase, rules in merged.items() if rules}


def unheard(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver]) -> list[str]:
    """Rate limits of tenants for which the plan has no rule left."""
    kept = {rule["ref"] for rule in rulesets(settings, site, tenants).get(RATE_LIMIT, [])}
    return [
        f"{rule['ref']}: not limited at the edge, since the {settings.plan.value} plan has no rule left; only the"
        " origin enforces it."
        for rule in _handed_over(tenants, RATE_LIMIT)
        if rule["ref"] not in kept
    ]


def squeezed(rules: list[Rule], room: int) -> list[Rule]:
    """Blocks joined from the end until they fit: they stop the same requests, under one ref."""
    while len(rules) > room and len(rules) > 1 and rules[-2]["action"] == rules[-1]["action"] == "block":
        first, second = rules[-2:]
        joined = {
            **first,
            "ref": f"{first['ref']}-or-{second['ref']}",
            "description": f"{first['description']}; {second['description']}",
            "expression": f"({first['expression']}) or ({second['expression']})",
        }
        rules = [*rules[:-2], joined]
    return rules


def _handed_over(tenants: Sequence[HandedOver], phase: str) -> list[Rule]:
    return [dict(rule) for tenant in tenants for rule in tenant["rules"].get(phase, [])]
