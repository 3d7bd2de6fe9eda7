"""Break the zone a little, one place at a time, and see whether a case notices.

A mutant that no case kills shows what nobody tests. Equivalent mutants (the change makes no difference to
any request) are left out where a proof is found (edgerules.lint.logic).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from edgerules.cases.load import Case
from edgerules.cases.run import run_case
from edgerules.cases.witness import witness
from edgerules.language import Expr, ExpressionError, parse, to_text
from edgerules.language.syntax import Call, Compare, InList, InSet, Logic, Not, Number, Truth
from edgerules.lint.logic import impossible
from edgerules.simulator import Edge
from edgerules.simulator.program import lists_of
from edgerules.zone import ActionParameters, InputError, Rule, Zone, rule_name

_FLIPPED = {
    "eq": "ne",
    "ne": "eq",
    "lt": "ge",
    "le": "gt",
    "gt": "le",
    "ge": "lt",
}
_ORDERED = {
    "http_request_dynamic_redirect",
    "http_request_firewall_custom",
    "http_request_cache_settings",
}
"""Phases where the order of rules decides."""


@dataclass(frozen=True)
class Mutant:
    rule: str
    change: str
    zone: Zone
    expressions: tuple[str, ...]  # of the rules that changed

    def witness(self, original: Zone) -> str | None:
        """A request that this change makes a difference to, if one is easily found."""
        return witness(original, self.zone, map(parse, self.expressions))


@dataclass(frozen=True)
class Score:
    killed: int
    survivors: list[Mutant]

    @property
    def total(self) -> int:
        return self.killed + len(self.survivors)

    def summary(self) -> str:
        share = f"{100 * self.killed / self.total:.0f} %" if self.total else "0 %"
        return f"mutation score: {self.killed} of {self.total} mutants are noticed ({share})"


def mutants(zone: Zone) -> Iterator[Mutant]:
    for phase, rules in zone.rules.items():
        for index, rule in enumerate(rules):
            if not rule.enabled:
                continue
            name = rule_name(phase, index, rule)
            for change, mutated in _of_rule(rule, zone):
                changed = _with_rule(zone, phase, index, mutated)
                yield Mutant(name, change, changed, (rule.expression,))
        if phase in _ORDERED:
            yield from _swaps(zone, phase)


def _with_rule(zone: Zone, phase: str, index: int, rule: Rule) -> Zone:
    rules = [*zone.rules_of(phase)]
    rules[index] = rule
    return _with_rules(zone, phase, rules)


def _with_rules(zone: Zone, phase: str, rules: list[Rule]) -> Zone:
    return zone.model_copy(update={"rules": {**zone.rules, phase: rules}})


def _swaps(zone: Zone, phase: str) -> Iterator[Mutant]:
    """Neighbours changed over, where one request can meet both."""
    rules = zone.rules_of(phase)
    lists = lists_of(zone)
    for index in range(len(rules) - 1):
        one, other = rules[index], rules[index + 1]
        if not (one.enabled and other.enabled) or _same_effect(one, other):
            continue
        if impossible((parse(one.expression), True), (parse(other.expression), True), lists=lists):
            continue
        swapped = [*rules[:index], other, one, *rules[index + 2 :]]
        names = rule_name(phase, index, one), rule_name(phase, index + 1, other)
        changed = _with_rules(zone, phase, swapped)
        yield Mutant(names[0], f"swapped with {names[1]}", changed, (one.expression, other.expression))


def _same_effect(one: Rule, other: Rule) -> bool:
    return one.action == other.action and one.action_parameters == other.action_parameters


def _of_rule(rule: Rule, zone: Zone) -> Iterator[tuple[str, Rule]]:
    yield "disabled", rule.model_copy(update={"enabled": False})
    expr = parse(rule.expression)
    for change, mutated in _of_expression(expr):
        if not _equivalent(expr, mutated, zone):
            yield change, rule.model_copy(update={"expression": to_text(mutated)})
    yield from _of_parameters(rule)
    if rule.ratelimit is not None and rule.ratelimit.requests_per_period is not None:
        for step in (-1, 1):
            most = rule.ratelimit.requests_per_period + step
            if most > 0:
                limit = rule.ratelimit.model_copy(update={"requests_per_period": most})
                yield f"requests_per_period {most}", rule.model_copy(update={"ratelimit": limit})


def _of_parameters(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """One header less; an edge TTL one second longer."""
    parameters = rule.parameters
    headers = parameters.get("headers") or {}
    for name in headers:
        rest = {other: change for other, change in headers.items() if other != name}
        yield f"without the header {name}", _with_parameters(rule, {**parameters, "headers": rest})
    ttl = parameters.get("edge_ttl")
    if isinstance(ttl, dict) and isinstance(ttl.get("default"), int):
        longer = ttl["default"] + 1
        changed = {**parameters, "edge_ttl": {**ttl, "default": longer}}
        yield f"edge_ttl.default {longer}", _with_parameters(rule, changed)


def _with_parameters(rule: Rule, parameters: dict[str, Any]) -> Rule:
    return rule.model_copy(update={"action_parameters": ActionParameters.model_validate(parameters)})


def _equivalent(one: Expr, other: Expr, zone: Zone) -> bool:
    """Proven to answer the same for every request."""
    lists = lists_of(zone)
    return impossible((one, True), (other, False), lists=lists) and impossible((one, False), (other, True), lists=lists)


def _of_expression(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """`expr` with one change each: (what changed, the result)."""
    yield from _here(expr)
    if isinstance(expr, Not):
        yield from ((change, replace(expr, operand=inner)) for change, inner in _of_expression(expr.operand))
    elif isinstance(expr, Logic):
        for index, operand in enumerate(expr.operands):
            for change, inner in _of_expression(operand):
                operands = (*expr.operands[:index], inner, *expr.operands[index + 1 :])
                yield change, replace(expr, operands=operands)
    elif isinstance(expr, Call) and expr.name in ("any", "all"):
        for change, inner in _of_expression(expr.args[0]):
            yield change, replace(expr, args=(inner, *expr.args[1:]))


def _here(expr: Expr) -> Iterator[tuple[str, Expr]]:
    if isinstance(expr, Not):
        yield f"without not: {_short(expr.operand)}", expr.operand
    elif isinstance(expr, Logic) and expr.op in ("and", "or"):
        other = "or" if expr.op == "and" else "and"
        yield f"{expr.op} became {other}", replace(expr, op=other)
        yield from _without_one(expr)
    elif isinstance(expr, Compare):
        yield from _comparison(expr)
    elif isinstance(expr, InSet):
        yield from _set(expr)
    elif isinstance(expr, InList | Call) and not isinstance(expr, Truth):
        yield f"negated: {_short(expr)}", Not(expr.at, expr)


def _comparison(expr: Compare) -> Iterator[tuple[str, Expr]]:
    if expr.op in _FLIPPED:
        yield f"{expr.op} became {_FLIPPED[expr.op]}: {_short(expr)}", replace(expr, op=_FLIPPED[expr.op])
    else:
        yield f"negated: {_short(expr)}", Not(expr.at, expr)
    if isinstance(expr.right, Number) and expr.op in ("lt", "le", "gt", "ge"):
        moved = replace(expr.right, value=expr.right.value + 1)
        yield f"{expr.right.value} became {moved.value}: {_short(expr)}", replace(expr, right=moved)


def _set(expr: InSet) -> Iterator[tuple[str, Expr]]:
    yield f"negated: {_short(expr)}", Not(expr.at, expr)
    if len(expr.items) > 1:
        yield f"without its last item: {_short(expr)}", replace(expr, items=expr.items[:-1])


def _without_one(expr: Logic) -> Iterator[tuple[str, Expr]]:
    for index, operand in enumerate(expr.operands):
        rest = (*expr.operands[:index], *expr.operands[index + 1 :])
        yield f"without: {_short(operand)}", rest[0] if len(rest) == 1 else replace(expr, operands=rest)


def _short(expr: Expr) -> str:
    text = to_text(expr)
    return text if len(text) <= 60 else text[:57] + "..."


def score(zone: Zone, cases: list[Case]) -> Score:
    """Run the cases against every mutant until one of them fails. The cases must pass on the zone itself."""
    ordered = _by_rule(zone, cases)
    killed, survivors = 0, []
    for mutant in mutants(zone):
        if _noticed(mutant, ordered.get(mutant.rule, []), cases):
            killed += 1
        else:
            survivors.append(mutant)
    return Score(killed, survivors)


def _by_rule(zone: Zone, cases: list[Case]) -> dict[str, list[Case]]:
    """The cases in which each rule acted: they are the likeliest to notice a change of it."""
    edge = Edge(zone)
    found: dict[str, list[Case]] = {}
    for case in cases:
        for rule in run_case(edge, case).deciders:
            found.setdefault(rule, []).append(case)
    return found


def _noticed(mutant: Mutant, likely: list[Case], cases: list[Case]) -> bool:
    try:
        edge = Edge(mutant.zone)
    except (InputError, ExpressionError):
        return True  # it does not even compile
    unlikely = [case for case in cases if case not in likely]
    return any(not run_case(edge, case, first_only=True).passed for case in (*likely, *unlikely))
