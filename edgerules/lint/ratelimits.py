"""Rate limits: what every plan requires, and what this one allows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgerules.lint.context import Context, Entry
from edgerules.lint.finding import ERROR, WARNING, Finding
from edgerules.tables.limits import SAFE_PERIODS, RateLimits
from edgerules.zone import RateLimit

_DOCS = "waf/rate-limiting-rules/#availability"
_PARAMETERS = "waf/rate-limiting-rules/parameters/"
_CHALLENGES = {"challenge", "js_challenge", "managed_challenge"}
_EVERYWHERE = (10, 60, 120, 300, 600, 3600)
"""Every page of the documentation lists these periods; the others only the newest one (November 2026)."""
_TIMEOUTS = (0, 10, 60, 120, 300, 600, 3600, 86400)


def check(context: Context) -> Iterator[Finding]:
    for entry in context.of("http_ratelimit"):
        limit = entry.rule.ratelimit
        if limit is None:
            message = "a rule of http_ratelimit needs ratelimit: {characteristics, period, requests_per_period}"
            yield entry.finding("ratelimit-missing", ERROR, message, _PARAMETERS)
            continue
        allowed = context.limits.ratelimit
        yield from _characteristics(context, entry, limit, allowed)
        yield from _period(context, entry, limit, allowed)
        yield from _timeout(context, entry, limit, allowed)
        yield from _counting(context, entry, limit, allowed)


def _characteristics(context: Context, entry: Entry, limit: RateLimit, allowed: RateLimits) -> Iterator[Finding]:
    given = limit.characteristics
    if "cf.colo.id" not in given:
        message = "characteristics must include cf.colo.id: counters are kept in each data centre"
        yield entry.finding("ratelimit-colo", ERROR, message, _PARAMETERS)
    if {"ip.src", "cf.unique_visitor_id"} <= set(given):
        message = "ip.src and cf.unique_visitor_id exclude each other"
        yield entry.finding("ratelimit-characteristics", ERROR, message, _PARAMETERS)
    for text in given:
        if allowed.characteristics is not None and text not in allowed.characteristics:
            known = ", ".join(sorted(allowed.characteristics))
            message = f"the {context.plan} plan cannot count by {text}; it can by {known}"
            yield entry.finding("plan-characteristic", ERROR, message, _DOCS)
        header = re.search(r'headers\["([^"]+)"\]', text)
        if header and header[1] != header[1].lower():
            message = f"write the header {header[1]} in lower case: Cloudflare knows it only so"
            yield entry.finding("header-case", ERROR, message, _PARAMETERS)


def _period(context: Context, entry: Entry, limit: RateLimit, allowed: RateLimits) -> Iterator[Finding]:
    period = limit.period
    if period not in SAFE_PERIODS:
        message = f"there is no period of {period} s; there are {_words(SAFE_PERIODS)}"
        yield entry.finding("ratelimit-period", ERROR, message, _PARAMETERS)
    elif period > allowed.max_period:
        message = f"a period of {period} s; the longest on the {context.plan} plan is {allowed.max_period} s"
        yield entry.finding("plan-period", ERROR, message, _DOCS)
    elif period not in _EVERYWHERE:
        message = f"only the newest page of the documentation lists {period} s; every page lists {_words(_EVERYWHERE)}"
        yield entry.finding("ratelimit-period", WARNING, message, _PARAMETERS)
    if limit.requests_per_period is None and limit.score_per_period is None:
        yield entry.finding("ratelimit-missing", ERROR, "requests_per_period is required", _PARAMETERS)


def _words(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))


def _timeout(context: Context, entry: Entry, limit: RateLimit, allowed: RateLimits) -> Iterator[Finding]:
    timeout = limit.mitigation_timeout
    if timeout > allowed.max_timeout:
        message = f"a timeout of {timeout} s; the longest on the {context.plan} plan is {allowed.max_timeout} s"
        yield entry.finding("plan-timeout", ERROR, message, _DOCS)
    elif timeout not in _TIMEOUTS and not allowed.custom_timeout:
        message = f"there is no timeout of {timeout} s; there are {_words(_TIMEOUTS)}"
        yield entry.finding("plan-timeout", ERROR, message, _DOCS)
    if entry.rule.action == "block" and timeout == 0 and not allowed.throttle:
        message = f"block with timeout 0 (throttling) is not on the {context.plan} plan; Enterprise has it"
        yield entry.finding("plan-throttle", ERROR, message, _PARAMETERS)
    if entry.rule.action in _CHALLENGES and timeout != 0 and not allowed.custom_timeout:
        message = f"on the {context.plan} plan a challenge has mitigation_timeout 0"
        yield entry.finding("plan-throttle", ERROR, message, _PARAMETERS)


def _counting(context: Context, entry: Entry, limit: RateLimit, allowed: RateLimits) -> Iterator[Finding]:
    if limit.counting_expression and not allowed.counting_expression:
        message = f"the {context.plan} plan has no counting expression; Business and above have one"
        yield entry.finding("plan-counting", ERROR, message, _DOCS)
    if "$" in entry.rule.expression and limit.requests_to_origin:
        message = "with a list in the expression, requests_to_origin must be false"
        yield entry.finding("ratelimit-list", ERROR, message, _PARAMETERS)
