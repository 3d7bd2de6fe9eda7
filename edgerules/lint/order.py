"""Rules that cannot act because of others: never true, shadowed, overridden, matching everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgerules.lint.context import Context, Entry
from edgerules.lint.finding import ERROR, WARNING, Finding
from edgerules.lint.logic import Goal, impossible
from edgerules.simulator.program import lists_of

_VALUES = "ruleset-engine/rules-language/values/"
_ORDER = "ruleset-engine/reference/phases-list/"
_CACHE_ORDER = "cache/how-to/cache-rules/order/"
_HEADERS = "rules/transform/response-header-modification/"

_STOPPING = {"block", "challenge", "js_challenge", "managed_challenge", "redirect"}
_FIREWALL = ("http_request_firewall_custom", "http_ratelimit", "http_request_firewall_managed")
_AFTER = ("http_request_late_transform", "http_request_cache_settings")


def check(context: Context) -> Iterator[Finding]:
    lists = lists_of(context.zone)
    dead = {entry.name for entry in context.entries if entry.expr and impossible((entry.expr, True), lists=lists)}
    for entry in context.entries:
        if entry.name in dead:
            message = "no request can match: its conditions exclude each other"
            yield entry.finding("never-matches", ERROR, message, _VALUES, entry.expr.column if entry.expr else None)
    yield from _shadowed(context, dead)
    yield from _overridden(context, dead)
    yield from _everything(context)
    yield from _hsts(context)


def _shadowed(context: Context, dead: set[str]) -> Iterator[Finding]:
    """Rules that no request reaches, because earlier rules stop everything they match."""
    for entry, earlier in _reached_after(context):
        if entry.expr is None or entry.name in dead or not earlier:
            continue
        alone = next((one for one in earlier if _covers(context, entry, [one])), None)
        if alone is not None:
            yield _shadow(entry, [alone])
        elif len(earlier) > 1 and _covers(context, entry, earlier):
            yield _shadow(entry, earlier)


def _reached_after(context: Context) -> Iterator[tuple[Entry, list[Entry]]]:
    """Every rule with the rules before it that end the way of what they match."""
    redirects: list[Entry] = []
    for entry in context.of("http_request_dynamic_redirect"):
        yield entry, list(redirects)
        redirects.append(entry)
    # A rewrite in between changes what the same expression means.
    stopping = [] if context.zone.rules_of("http_request_transform") else list(redirects)
    for phase in (*_FIREWALL, *_AFTER):
        here: list[Entry] = []
        for entry in context.of(phase):
            yield entry, [*stopping, *here]
            if _ends_phase(entry):
                here.append(entry)
        if phase == "http_request_firewall_custom":
            stopping += [entry for entry in here if entry.rule.action in _STOPPING]


def _ends_phase(entry: Entry) -> bool:
    parameters = entry.rule.parameters
    if entry.rule.action == "skip":
        return "current" in (parameters.get("ruleset"), parameters.get("phase"))
    return entry.phase != "http_ratelimit" and entry.rule.action in _STOPPING


def _covers(context: Context, entry: Entry, earlier: list[Entry]) -> bool:
    if entry.expr is None:
        return False
    goals: list[Goal] = [(entry.expr, True)]
    goals += [(other.expr, False) for other in earlier if other.expr is not None]
    return len(goals) > 1 and impossible(*goals, lists=lists_of(context.zone))


def _shadow(entry: Entry, earlier: list[Entry]) -> Finding:
    names = ", ".join(f"{other.name} ({other.rule.action})" for other in earlier)
    verb = "ends" if len(earlier) == 1 else "end"
    return entry.finding("shadowed", ERROR, f"never acts: the earlier {names} {verb} the way of all it matches", _ORDER)


def _overridden(context: Context, dead: set[str]) -> Iterator[Finding]:
    """Settings that a later rule always replaces: the last match wins."""
    for phase, docs in (("http_request_cache_settings", _CACHE_ORDER), ("http_response_headers_transform", _HEADERS)):
        entries = [entry for entry in context.of(phase) if entry.name not in dead]
        for position, entry in enumerate(entries):
            for later in entries[position + 1 :]:
                clash = _clash(entry, later)
                if clash and _covers(context, entry, [later]):
                    message = f"{', '.join(clash)}: always replaced by the later rule {later.name}"
                    yield entry.finding("contradicts", WARNING, message, docs)


def _clash(entry: Entry, later: Entry) -> list[str]:
    """What both set, to different values."""
    mine, theirs = _settings(entry), _settings(later)
    return sorted(name for name in mine if name in theirs and mine[name] != theirs[name])


def _settings(entry: Entry) -> dict[str, Any]:
    parameters = entry.rule.parameters
    if entry.phase == "http_request_cache_settings":
        return dict(parameters)
    headers = parameters.get("headers")
    pairs = headers.items() if isinstance(headers, Mapping) else ()
    return {
        name.lower(): change
        for name, change in pairs
        if isinstance(change, Mapping) and change.get("operation") != "add"
    }


def _everything(context: Context) -> Iterator[Finding]:
    """A block or challenge that matches every request closes the zone."""
    for entry in context.of("http_request_firewall_custom"):
        if entry.rule.action in _STOPPING and entry.expr is not None and impossible((entry.expr, False)):
            message = f"{entry.rule.action} for every request: nobody reaches the zone"
            yield entry.finding("matches-everything", ERROR, message, _ORDER, entry.expr.column)


def _hsts(context: Context) -> Iterator[Finding]:
    policy = context.zone.settings.security_header.strict_transport_security
    if not policy.enabled:
        return
    for entry in context.of("http_response_headers_transform"):
        change = _settings(entry).get("strict-transport-security")
        if isinstance(change, Mapping) and f"max-age={policy.max_age}" not in str(change.get("value", "")):
            message = "sets Strict-Transport-Security otherwise than the setting security_header; keep one of them"
            yield entry.finding("contradicts", WARNING, message, _HEADERS)
