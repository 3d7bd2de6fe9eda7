"""How rules stand together: refs, actions that fit their phase, counts."""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.lint.context import Context, Entry
from edgerules.lint.finding import ERROR, INFO, WARNING, Finding
from edgerules.tables.limits import max_rules

_ACTIONS = "ruleset-engine/rules-language/actions/"
_REFS = "ruleset-engine/basic-operations/add-rule-ruleset/"
_SKIP = "waf/custom-rules/skip/options/"

_CHALLENGES = {"challenge", "js_challenge", "managed_challenge"}
PHASE_ACTIONS = {
    "http_request_dynamic_redirect": {"redirect"},
    "http_request_redirect": {"redirect"},
    "http_request_transform": {"rewrite"},
    "http_request_late_transform": {"rewrite"},
    "http_response_headers_transform": {"rewrite"},
    "http_config_settings": {"set_config"},
    "http_request_origin": {"route"},
    "http_request_firewall_custom": {"block", "log", "skip", "execute"} | _CHALLENGES,
    "http_ratelimit": {"block", "log"} | _CHALLENGES,
    "http_request_firewall_managed": {"execute", "skip", "block", "log"} | _CHALLENGES,
    "http_request_cache_settings": {"set_cache_settings"},
    "http_response_cache_settings": {"set_cache_control", "set_cache_tags", "set_cache_settings"},
    "http_custom_errors": {"serve_error"},
    "http_response_compression": {"compress_response"},
    "http_log_custom_fields": {"log_custom_field"},
    "http_response_firewall_managed": {"execute", "skip", "log"},
}
SKIPPABLE_PHASES = {"http_ratelimit", "http_request_sbfm", "http_request_firewall_managed"}
SKIPPABLE_PRODUCTS = {"bic", "hot", "rateLimit", "securityLevel", "uaBlock", "waf", "zoneLockdown"}


def check(context: Context) -> Iterator[Finding]:
    yield from _refs(context)
    yield from _counts(context)
    for entry in context.entries:
        yield from _action(entry)
        if entry.rule.action == "skip":
            yield from _skip(entry)


def _refs(context: Context) -> Iterator[Finding]:
    for phase in context.zone.rules:
        seen: dict[str, Entry] = {}
        for entry in context.of(phase):
            ref = entry.rule.ref
            if ref is None:
                message = "the rule has no ref: Cloudflare gives it a new id on every change, and reports lose it"
                yield entry.finding("missing-ref", WARNING, message, _REFS)
            elif ref in seen:
                message = f"the ref {ref} is taken by an earlier rule of this phase"
                yield entry.finding("duplicate-ref", ERROR, message, _REFS)
            else:
                seen[ref] = entry


def _counts(context: Context) -> Iterator[Finding]:
    for phase, rules in context.zone.rules.items():
        most = max_rules(context.zone.plan, phase)
        if most is not None and len(rules) > most:
            message = f"{phase} holds {len(rules)} rules; the {context.plan} plan has {most}"
            yield context.finding("plan-count", ERROR, message, "ruleset-engine/", "rules", phase)


def _action(entry: Entry) -> Iterator[Finding]:
    allowed = PHASE_ACTIONS.get(entry.phase)
    if allowed is not None and entry.rule.action not in allowed:
        message = f"{entry.phase} has no action {entry.rule.action}; it has {', '.join(sorted(allowed))}"
        yield entry.finding("phase-action", ERROR, message, _ACTIONS)
    if entry.rule.logging is not None and entry.rule.action != "skip":
        yield entry.finding("logging", ERROR, "only skip rules can set logging", _ACTIONS)
    if entry.rule.ratelimit is not None and entry.phase != "http_ratelimit":
        yield entry.finding("phase-ratelimit", ERROR, "only http_ratelimit has rate limits", "waf/rate-limiting-rules/")


def _skip(entry: Entry) -> Iterator[Finding]:
    parameters = entry.rule.parameters
    if not parameters:
        yield entry.finding("skip-nothing", ERROR, "a skip rule must name what it skips", _SKIP)
    for phase in parameters.get("phases") or []:
        if phase not in SKIPPABLE_PHASES:
            message = f"the phase {phase} cannot be skipped; {', '.join(sorted(SKIPPABLE_PHASES))} can"
            yield entry.finding("skip-phase", ERROR, message, _SKIP)
    for product in parameters.get("products") or []:
        if product not in SKIPPABLE_PRODUCTS:
            message = f"there is no product {product} to skip; there are {', '.join(sorted(SKIPPABLE_PRODUCTS))}"
            yield entry.finding("skip-product", ERROR, message, _SKIP)
    if parameters.get("products") and not (parameters.get("phases") or parameters.get("ruleset")):
        message = "it skips older products only; rules of this zone still apply"
        yield entry.finding("skip-products-only", INFO, message, _SKIP)
