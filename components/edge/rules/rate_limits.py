"""Rate limiting rules, with only the fields that the plan's rules may ask for."""

from __future__ import annotations

from components.edge.config import EdgeSettings
from components.edge.limits import Fitted, fit, wanted
from components.edge.rules.words import Rule, any_of, quote, rule, starts
from components.site import SiteSettings
from edgerules.tables.limits import LIMITS, PlanLimits
from edgerules.tables.plans import Plan

TOO_MANY = '{"error":"Too many requests"}'


def host_rules(settings: EdgeSettings, site: SiteSettings) -> list[Rule]:
    limits = LIMITS[Plan(settings.plan.value)]
    fitted = fit(wanted(site), settings.plan, settings.on_misfit)
    return [_limited(limit, limits, site) for limit in fitted.rules]


def _limited(limit: Fitted, plan: PlanLimits, site: SiteSettings) -> Rule:
    counter = {
        # Counters live in each of Cloudflare's places: without cf.colo.id the API refuses the rule.
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": limit.period,
        "requests_per_period": limit.requests,
        # As long as the period, at least: a shorter one is refused.
        "mitigation_timeout": min(max(limit.period, 10), plan.ratelimit.max_timeout),
    }
    words = f"{limit.name.replace('-', ' ')}: {limit.requests} requests in {limit.period} s for each address"
    parameters = _answer() if plan.custom_block_response else None
    expression = _expression(limit, plan, site)
    return rule(f"limit-{limit.name}", words, expression, "block", ratelimit=counter, action_parameters=parameters)


def _expression(limit: Fitted, plan: PlanLimits, site: SiteSettings) -> str:
    fields = plan.ratelimit.fields
    parts = []
    if fields is None or "http.host" in fields:
        parts.append(f"http.host eq {quote(site.api)}")
    if limit.paths:
        parts.append(any_of(starts(path) for path in limit.paths))
        if fields is None or "http.request.method" in fields:
            # A browser asks for permission first (CORS): that is no attempt.
            parts.append('http.request.method eq "POST"')
    return " and ".join(parts)


def _answer() -> dict[str, object]:
    return {"response": {"status_code": 429, "content_type": "application/json", "content": TOO_MANY}}
