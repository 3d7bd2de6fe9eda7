"""What the plan cannot do, settled when the settings load and not when Cloudflare answers 400."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.edge.bots import LIKELY, bot_findings
from components.edge.config import EdgeSettings
from components.edge.limits import fit, wanted
from components.edge.rules.zone import HandedOver, rulesets, unheard
from components.site import SiteSettings
from components.values import CloudflarePlan, ZoneRole
from edgerules.tables.limits import LIMITS, MAX_EXPRESSION_LENGTH, max_rules
from edgerules.tables.plans import Plan

EXPRESSION_SOURCES = {
    "admin-paths": "site.admin.addresses",
    "countries": "edge.waf.blocked_countries",
}


def plan_findings(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver] = ()) -> list[str]:
    """Sentences about what cannot be; none when the zone can be made as it is asked for."""
    if settings.role is ZoneRole.TENANT:
        return []
    return [
        *fit(wanted(site), settings.plan, settings.on_misfit).refused,
        *bot_findings(settings),
        *_cache_findings(settings, site),
        *_size_findings(settings, site, tenants),
    ]


def plan_notes(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver] = ()) -> list[str]:
    """Sentences about what is done otherwise than asked, or left out, for the preview."""
    if settings.role is ZoneRole.TENANT:
        return [f"The owner of the zone {settings.zone} writes this stack's rules: output rules_for_owner."]
    return [*limit_notes(settings, site, tenants), *_left_out(settings)]


def limit_notes(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver] = ()) -> list[str]:
    """What became of each rate limit. A tenant's are decided where its zone's owner is."""
    if settings.role is ZoneRole.TENANT:
        return []
    return [*fit(wanted(site), settings.plan, settings.on_misfit).notes, *unheard(settings, site, tenants)]


def _cache_findings(settings: EdgeSettings, site: SiteSettings) -> Iterator[str]:
    least = LIMITS[Plan(settings.plan.value)].min_edge_ttl
    if site.caching.assets < least:
        yield (
            f"site.caching.assets: {site.caching.assets}s; the {settings.plan.value} plan keeps files for at least"
            f" {least}s. Allowed is that or longer"
        )


def _size_findings(settings: EdgeSettings, site: SiteSettings, tenants: Sequence[HandedOver]) -> Iterator[str]:
    for phase, rules in rulesets(settings, site, tenants).items():
        room = max_rules(Plan(settings.plan.value), phase)
        if room is not None and len(rules) > room:
            yield f"edge: {len(rules)} rules in {phase}; the {settings.plan.value} plan has room for {room}"
        for rule in rules:
            length = len(rule["expression"])
            if length > MAX_EXPRESSION_LENGTH:
                source = EXPRESSION_SOURCES.get(rule["ref"], "edge")
                yield (
                    f"{source}: the rule {rule['ref']} would have {length} characters; Cloudflare takes"
                    f" {MAX_EXPRESSION_LENGTH}. Allowed are fewer entries, or wider ones"
                )


def _left_out(settings: EdgeSettings) -> Iterator[str]:
    plan = settings.plan
    if plan is CloudflarePlan.FREE:
        if settings.waf.owasp or settings.waf.managed:
            yield "The free plan has Cloudflare's free managed rules only: no OWASP rules, no full managed ruleset."
        if settings.health.enabled:
            yield "The free plan has no health checks."
        if "verified" in settings.bots.model_fields_set:
            yield "The free plan has Bot Fight Mode only: it cannot be told about verified bots."
    if plan not in LIKELY and "likely" in settings.bots.model_fields_set:
        yield f"The {plan.value} plan cannot treat likely bots in a way of their own: edge.bots.likely does nothing."
