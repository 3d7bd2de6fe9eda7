"""What Cloudflare would say about a ruleset: `edgerules` finds it, this table says with which error it is refused."""

from __future__ import annotations

from typing import Any

from edgerules.lint import ERROR, Finding, lint
from edgerules.tables.limits import max_rules
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
INVALID = frozenset(
    [
        "block-status",
        "duplicate-ref",
        "logging",
        "phase-action",
        "phase-ratelimit",
        "ratelimit-characteristics",
        "ratelimit-colo",
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
    phase, rules = ruleset["phase"], ruleset["rules"]
    most = max_rules(Plan(zone["plan"]), phase)
    if most is not None and len(rules) > most:
        raise RefusalError("rules-many", "/rules", phase=phase, count=len(rules), most=most)
    for finding in _findings(world, zone, phase, rules):
        index = next((i for i, rule in enumerate(rules) if rule["ref"] == finding.rule), 0)
        _refuse(finding, index, rules)


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


def _refuse(finding: Finding, index: int, rules: list[Any]) -> None:
    rule = rules[index] if rules else {}
    if finding.code in EXPRESSION:
        text = rule.get("expression", "")
        raise RefusalError("expression", f"/rules/{index}/expression", expression=text, why=_why(finding))
    if finding.code in ENTITLEMENT:
        raise RefusalError("rule-entitlement", f"/rules/{index}", why=finding.message)
    if finding.code in INVALID:
        raise RefusalError("rule-invalid", f"/rules/{index}", why=finding.message)


def _why(finding: Finding) -> str:
    where = f" (column {finding.column})" if finding.column else ""
    return finding.message + where


def _plain(sentence: str) -> str:
    """Without the file's name and line, which there are not."""
    return sentence.split(": ", 1)[-1]
