"""What each plan allows: counts, periods, actions and lengths."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edgerules.tables.plans import Plan
from edgerules.tables.source import Source

PLANS_SOURCE = Source("ruleset-engine/", date(2026, 11, 1))
"""Cloudflare documentation, src/content/plans/index.json@0188ca2."""
RATELIMIT_SOURCE = Source("waf/rate-limiting-rules/", date(2026, 11, 21))
"""Cloudflare documentation, partials/waf/rate-limiting-availability-by-plan.mdx@07acbb6."""
LENGTH_SOURCE = Source("ruleset-engine/rules-language/expressions/", date(2026, 11, 1))
CACHE_SOURCE = Source("cache/how-to/cache-rules/settings/", date(2026, 11, 1))

MAX_EXPRESSION_LENGTH = 4096
SAFE_PERIODS: tuple[int, ...] = (
    *(10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600),
    *(900, 1200, 1800, 2400, 3600, 65535, 86400),
)
BLOCK_STATUS = range(400, 500)
ACTIONS = ("block", "challenge", "js_challenge", "managed_challenge", "log", "skip")

DAY = 86400
HOUR = 3600


@dataclass(frozen=True)
class RateLimits:
    """What http_ratelimit allows. `fields` None: no limit; `throttle`: timeout 0 together with block."""

    rules: int
    max_period: int
    max_timeout: int
    fields: frozenset[str] | None
    characteristics: frozenset[str] | None
    counting_expression: bool
    throttle: bool
    custom_timeout: bool


@dataclass(frozen=True)
class PlanLimits:
    """One column of the plan table."""

    custom_rules: int
    rules_per_phase: int
    """Of each of: cache, transform, origin, configuration, compression and redirect rules."""
    custom_errors: int
    log_action: bool
    custom_block_response: bool
    managed_rulesets: frozenset[str]
    min_edge_ttl: int
    origin_overrides: bool
    """Host header, SNI and DNS record in origin rules; the port alone is always possible."""
    lists: int
    list_items: int
    health_checks: int
    ratelimit: RateLimits


_VERIFIED = frozenset({"cf.client.bot", "cf.bot_management.verified_bot", "cf.verified_bot_category"})
_FREE_FIELDS = _VERIFIED | {"http.request.uri.path", "raw.http.request.uri.path"}
_PRO_FIELDS = _FREE_FIELDS | {
    "http.host",
    "http.request.uri",
    "http.request.full_uri",
    "http.request.uri.query",
    "raw.http.request.uri",
    "raw.http.request.full_uri",
    "raw.http.request.uri.query",
}
_BUSINESS_FIELDS = _PRO_FIELDS | {"http.request.method", "ip.src", "http.user_agent"}
_IP_ONLY = frozenset({"cf.colo.id", "ip.src"})

LIMITS = {
    Plan.FREE: PlanLimits(
        custom_rules=5,
        rules_per_phase=10,
        custom_errors=0,
        log_action=False,
        custom_block_response=False,
        managed_rulesets=frozenset({"free"}),
        min_edge_ttl=2 * HOUR,
        origin_overrides=False,
        lists=1,
        list_items=10_000,
        health_checks=0,
        ratelimit=RateLimits(1, 10, 10, _FREE_FIELDS, _IP_ONLY, False, False, False),
    ),
    Plan.PRO: PlanLimits(
        custom_rules=20,
        rules_per_phase=25,
        custom_errors=25,
        log_action=False,
        custom_block_response=True,
        managed_rulesets=frozenset({"free", "cloudflare", "owasp"}),
        min_edge_ttl=HOUR,
        origin_overrides=False,
        lists=10,
        list_items=10_000,
        health_checks=10,
        ratelimit=RateLimits(2, 60, HOUR, _PRO_FIELDS, _IP_ONLY, False, False, False),
    ),
    Plan.BUSINESS: PlanLimits(
        custom_rules=100,
        rules_per_phase=50,
        custom_errors=50,
        log_action=False,
        custom_block_response=True,
        managed_rulesets=frozenset({"free", "cloudflare", "owasp"}),
        min_edge_ttl=1,
        origin_overrides=False,
        lists=10,
        list_items=10_000,
        health_checks=50,
        ratelimit=RateLimits(5, 600, DAY, _BUSINESS_FIELDS, _IP_ONLY | {"cf.unique_visitor_id"}, True, False, False),
    ),
    Plan.ENTERPRISE: PlanLimits(
        custom_rules=1000,
        rules_per_phase=300,
        custom_errors=300,
        log_action=True,
        custom_block_response=True,
        managed_rulesets=frozenset({"free", "cloudflare", "owasp", "sensitive_data"}),
        min_edge_ttl=1,
        origin_overrides=True,
        lists=1000,
        list_items=500_000,
        health_checks=1000,
        ratelimit=RateLimits(100, 65535, DAY, None, None, True, True, True),
    ),
}

PHASE_RULES = {
    "http_request_cache_settings",
    "http_request_transform",
    "http_request_late_transform",
    "http_response_headers_transform",
    "http_request_origin",
    "http_config_settings",
    "http_response_compression",
    "http_request_dynamic_redirect",
}
"""Phases that share the count `rules_per_phase`."""

MANAGED_RULESETS = {
    "efb7b8c949ac4650a09736fc376e9aee": "cloudflare",
    "4814384a9e5d4991b9815dcfc25d2f1f": "owasp",
    "77454fe2d30c4220b5701f6fdfb893ba": "free",
    "e22d83c647c64a3eae91b71b499d988e": "sensitive_data",
}


def max_rules(plan: Plan, phase: str) -> int | None:
    """How many rules the plan allows in the phase's ruleset; None where no number is documented."""
    limits = LIMITS[plan]
    if phase in PHASE_RULES:
        return limits.rules_per_phase
    counts = {
        "http_request_firewall_custom": limits.custom_rules,
        "http_ratelimit": limits.ratelimit.rules,
        "http_custom_errors": limits.custom_errors,
    }
    return counts.get(phase)
