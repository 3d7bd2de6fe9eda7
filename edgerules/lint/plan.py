"""What the zone's plan does not have: actions, responses, rate limits, TTLs, managed rulesets, lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgerules.lint.context import Context, Entry
from edgerules.lint.finding import ERROR, Finding
from edgerules.tables.limits import BLOCK_STATUS, CACHE_SOURCE, MANAGED_RULESETS
from edgerules.tables.plans import Plan

_CUSTOM = "waf/custom-rules/"
_MANAGED = "waf/managed-rules/"
_ORIGIN = "rules/origin-rules/"
_LISTS = "waf/tools/lists/"
_BOTS = "bots/plans/"


def check(context: Context) -> Iterator[Finding]:
    for entry in context.entries:
        yield from _actions(context, entry)
        yield from _ttl(context, entry)
        yield from _managed(context, entry)
        yield from _origin(context, entry)
    yield from _zone(context)


def _actions(context: Context, entry: Entry) -> Iterator[Finding]:
    rule = entry.rule
    if rule.action == "log" and not context.limits.log_action:
        yield entry.finding("plan-action", ERROR, _lacks(context, "action log", "Enterprise has it"), _CUSTOM)
    response = rule.parameters.get("response")
    if rule.action != "block" or not isinstance(response, Mapping):
        return
    if not context.limits.custom_block_response:
        hint = "Pro and above have them; leave action_parameters.response out"
        yield entry.finding("plan-response", ERROR, _lacks(context, "custom block responses", hint), _CUSTOM)
    status = response.get("status_code")
    if status is not None and status not in BLOCK_STATUS:
        yield entry.finding("block-status", ERROR, f"a block answers with 400 to 499, not {status}", _CUSTOM)


def _lacks(context: Context, what: str, hint: str) -> str:
    return f"the {context.plan} plan has no {what}; {hint}"


def _ttl(context: Context, entry: Entry) -> Iterator[Finding]:
    edge = entry.rule.parameters.get("edge_ttl")
    if entry.rule.action != "set_cache_settings" or not isinstance(edge, Mapping):
        return
    values = [edge.get("default")] if edge.get("mode") == "override_origin" else []
    values += [item.get("value") for item in _items(edge.get("status_code_ttl"))]
    least = context.limits.min_edge_ttl
    for value in values:
        if isinstance(value, int) and 0 < value < least:
            message = f"an edge TTL of {value} s; the least on the {context.plan} plan is {least} s"
            yield entry.finding("plan-ttl", ERROR, message, CACHE_SOURCE.url)
    if edge.get("mode") == "override_origin" and not isinstance(edge.get("default"), int):
        message = "edge_ttl with override_origin needs default, the seconds to keep"
        yield entry.finding("ttl-missing", ERROR, message, CACHE_SOURCE.url)


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _managed(context: Context, entry: Entry) -> Iterator[Finding]:
    if entry.rule.action != "execute":
        return
    ruleset = MANAGED_RULESETS.get(str(entry.rule.parameters.get("id")))
    if ruleset is not None and ruleset not in context.limits.managed_rulesets:
        message = f"the {context.plan} plan does not have the managed ruleset {ruleset}"
        yield entry.finding("plan-managed", ERROR, message, _MANAGED)


def _origin(context: Context, entry: Entry) -> Iterator[Finding]:
    if entry.rule.action != "route" or context.limits.origin_overrides:
        return
    parameters = entry.rule.parameters
    origin = parameters.get("origin")
    given = [name for name in ("host_header", "sni") if parameters.get(name)]
    given += ["origin.host"] if isinstance(origin, Mapping) and origin.get("host") else []
    for name in given:
        yield entry.finding("plan-origin", ERROR, _lacks(context, f"override of {name}", "Enterprise has it"), _ORIGIN)


def _zone(context: Context) -> Iterator[Finding]:
    lists = context.zone.lists
    if len(lists) > context.limits.lists:
        message = f"{len(lists)} lists; the {context.plan} plan has {context.limits.lists}"
        yield context.finding("plan-lists", ERROR, message, _LISTS, "lists")
    items = sum(len(entry.items) for entry in lists.values())
    if items > context.limits.list_items:
        message = f"{items} items in lists; the {context.plan} plan has {context.limits.list_items}"
        yield context.finding("plan-lists", ERROR, message, _LISTS, "lists")
    bots = context.zone.bot_management
    decisions = (bots.sbfm_definitely_automated, bots.sbfm_likely_automated, bots.sbfm_verified_bots)
    if context.zone.plan is Plan.FREE and set(decisions) != {"allow"}:
        message = _lacks(context, "Super Bot Fight Mode", "use fight_mode")
        yield context.finding("plan-bots", ERROR, message, _BOTS, "bot_management")
    if bots.sbfm_likely_automated != "allow" and not context.zone.plan.includes(Plan.BUSINESS):
        message = _lacks(context, "decision on likely automated traffic", "Business and above have it")
        yield context.finding("plan-bots", ERROR, message, _BOTS, "bot_management", "sbfm_likely_automated")
