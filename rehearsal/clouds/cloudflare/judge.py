"""What Cloudflare would say about a ruleset: `edgerules` finds it, this table says with which error it is refused."""

from __future__ import annotations

from typing import Any

from edgerules.lint import ERROR, Finding, lint
from edgerules.tables.limits import LIMITS, SAFE_PERIODS, max_rules
from edgerules.tables.plans import Plan
from edgerules.zone import InputError, zone_from_rulesets
from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.export import lists
from rehearsal.clouds.cloudflare.store import Object, World

EXPRESSION = frozenset(
    [
        "syntax",
        "type",
        "unknown-field",
        "unknown-function",
        "unknown-list",
        "length",
        "header-case",
        "phase-field",
        "phase-function",
        "plan-field",
        "plan-function",
        "plan-operator",
        "plan-list",
        "plan-addon",
        "plan-ratelimit-field",
    ]
)
ENTITLEMENT = frozenset(
    [
        "plan-action",
        "plan-characteristic",
        "plan-counting",
        "plan-managed",
        "plan-origin",
        "plan-period",
        "plan-response",
        "plan-throttle",
        "plan-timeout",
        "plan-ttl",
    ]
)
WORDS = {
    "plan-managed": "not entitled to execute this managed ruleset",
    "plan-origin": "not entitled to use the HostHeader override",
}
INVALID = frozenset(
    [
        "block-status",
        "duplicate-ref",
        "logging",
        "phase-action",
        "phase-ratelimit",
        "ratelimit-characteristics",
        "ratelimit-list",
        "ratelimit-missing",
        "ratelimit-period",
        "skip-nothing",
        "skip-phase",
        "skip-product",
        "ttl-missing",
    ]
)
"""Findings about what a rule means (never true, shadowed, locks out) are not here: the real one takes such rules."""


def refuse_what_cannot_be(world: World, zone_id: str, ruleset: Object) -> None:
    zone = world.zone(zone_id)
    phase, rules, plan = ruleset["phase"], ruleset["rules"], Plan(zone["plan"])
    most = max_rules(plan, phase)
    if most is not None and len(rules) > most:
        raise RefusalError("rules-many", "/rules", phase=phase, count=len(rules), most=most)
    for index, rule in enumerate(rules):
        if rule.get("expression") == "":
            raise RefusalError("expression-blank", f"/rules/{index}/expression")
    for finding in _findings(world, zone, phase, rules):
        index = next((i for i, rule in enumerate(rules) if rule["ref"] == finding.rule), 0)
        _refuse(finding, index, rules, plan)


def _findings(world: World, zone: Object, phase: str, rules: list[Object]) -> list[Finding]:
    # A rule that is switched off is judged as well: the API does not wait until it is switched on.
    judged = [{key: rule[key] for key in rule if key not in ("version", "last_updated")} for rule in rules]
    judged = [{**rule, "enabled": True} for rule in judged]
    known = lists(world, zone["account_id"])
    try:
        built = zone_from_rulesets(
            [{"phase": phase, "rules": judged}], plan=zone["plan"], name=zone["name"], lists=known
        )
    except InputError as error:
        raise RefusalError("rule-invalid", "/rules", why=_plain(error.sentences[0])) from None
    return [finding for finding in lint(built) if finding.severity == ERROR]


def _refuse(finding: Finding, index: int, rules: list[Any], plan: Plan) -> None:
    rule = rules[index] if rules else {}
    if finding.code in EXPRESSION:
        text = rule.get("expression", "")
        raise RefusalError("expression", f"/rules/{index}/expression", expression=text, why=_why(finding))
    if finding.code in ENTITLEMENT:
        raise RefusalError("rule-entitlement", f"/rules/{index}", why=_entitlement(finding, rule, plan))
    if finding.code == "ratelimit-colo":
        raise RefusalError("rule-colo", f"/rules/{index}")
    if finding.code in INVALID:
        raise RefusalError("rule-invalid", f"/rules/{index}", why=finding.message)


def _entitlement(finding: Finding, rule: Object, plan: Plan) -> str:
    """In Cloudflare's own words where they are known."""
    limits = LIMITS[plan].ratelimit
    periods = ", ".join(str(period) for period in SAFE_PERIODS if period <= limits.max_period)
    if finding.code == "plan-period":
        period = rule["ratelimit"]["period"]
        return f"not entitled to use the period {period}, can only use a period among [{periods}]"
    if finding.code == "plan-timeout" and plan is Plan.FREE:
        return f"not entitled to use a mitigation timeout different from {limits.max_timeout}"
    return WORDS.get(finding.code, f"not entitled: {finding.message}")


def _why(finding: Finding) -> str:
    where = f" (column {finding.column})" if finding.column else ""
    return finding.message + where


def _plain(sentence: str) -> str:
    """Without the file's name and line, which there are not."""
    return sentence.split(": ", 1)[-1]
