"""What a plan and a phase allow in an expression that is otherwise right."""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.language.errors import ExpressionError, Finding, Position
from edgerules.language.suggest import did_you_mean
from edgerules.language.syntax import Call, Compare, Expr, Field, Index, InList, walk
from edgerules.tables.fields import DEPRECATED, FieldEntry, fields
from edgerules.tables.functions import FUNCTIONS, Function
from edgerules.tables.limits import LENGTH_SOURCE, LIMITS, MAX_EXPRESSION_LENGTH, RATELIMIT_SOURCE
from edgerules.tables.operators import OPERATORS, SOURCE
from edgerules.tables.phases import PACKET_PHASES, PHASES, RESPONSE_PHASES
from edgerules.tables.phases import SOURCE as PHASES_SOURCE
from edgerules.tables.plans import Plan

_LISTS = "https://developers.cloudflare.com/waf/tools/lists/managed-lists/"
_COUNTING_ONLY = ("http.response.code", "http.response.headers", "raw.http.response.headers")
_LOWER_CASE_MAPS = ("http.request.headers", "http.response.headers", "raw.http.response.headers")


def check_length(text: str) -> None:
    if len(text) > MAX_EXPRESSION_LENGTH:
        message = f"the expression has {len(text)} characters"
        hint = "split the rule, or move values into a list"
        expected = f"at most {MAX_EXPRESSION_LENGTH}"
        raise ExpressionError(Finding("length", message, Position(), expected, hint, LENGTH_SOURCE.url))


def check_limits(expr: Expr, *, phase: str | None, plan: Plan | None, result: str = "filter") -> list[Finding]:
    """Everything the plan and the phase refuse, and what they accept but should not be written."""
    if phase is not None and phase not in PHASES:
        hint = did_you_mean(phase, PHASES)
        return [Finding("unknown-phase", f"{phase} is not a phase", expr.at, "a phase", hint, PHASES_SOURCE.url)]
    findings: list[Finding] = []
    for node in walk(expr):
        if isinstance(node, Field):
            findings += _field(node, fields()[node.name], phase, plan, result)
        elif isinstance(node, Call):
            findings += _call(node, FUNCTIONS[node.name], phase, plan, result)
        elif isinstance(node, Compare):
            findings += _operator(node, plan)
        elif isinstance(node, InList):
            findings += _managed_list(node, plan)
        elif isinstance(node, Index):
            findings += _header_case(node)
    return findings


def _field(node: Field, entry: FieldEntry, phase: str | None, plan: Plan | None, result: str) -> Iterator[Finding]:
    if phase:
        yield from _field_in_phase(node, entry, phase, result)
    if plan and phase == "http_ratelimit" and LIMITS[plan].ratelimit.fields is not None:
        yield from _field_in_rate_limit(node, plan, result)
    elif plan:
        yield from _field_in_plan(node, entry, plan)
    if node.name in DEPRECATED and phase not in PACKET_PHASES:
        hint = f"write {DEPRECATED[node.name]}"
        yield Finding("deprecated", f"{node.name} is deprecated", node.at, None, hint, entry.docs, "warning")


def _field_in_phase(node: Field, entry: FieldEntry, phase: str, result: str) -> Iterator[Finding]:
    counting = phase == "http_ratelimit" and result == "counting"
    if entry.of_response and phase not in RESPONSE_PHASES and not counting:
        message = f"{node.name} is known only after the origin answered, and {phase} runs before"
        hint = "use it in the counting expression" if phase == "http_ratelimit" else None
        yield Finding("phase-field", message, node.at, "a field of the request", hint, PHASES_SOURCE.url)
    if entry.packet and phase not in PACKET_PHASES:
        message = f"{node.name} describes packets and exists only in Network Firewall"
        hint = "write cf.edge.server_port" if node.name == "tcp.dstport" else None
        yield Finding("phase-field", message, node.at, "a field of the HTTP request", hint, entry.docs)


def _field_in_rate_limit(node: Field, plan: Plan, result: str) -> Iterator[Finding]:
    """This list goes before the general one: it has the verified bot on every plan."""
    allowed = LIMITS[plan].ratelimit.fields or frozenset()
    if node.name in allowed:
        return
    if result == "counting" and node.name in _COUNTING_ONLY:
        return
    message = f"rate limits on {plan.label} cannot read {node.name}"
    expected = "one of " + ", ".join(sorted(name for name in allowed if not name.startswith("raw.")))
    yield Finding("plan-ratelimit-field", message, node.at, expected, None, RATELIMIT_SOURCE.url)


def _field_in_plan(node: Field, entry: FieldEntry, plan: Plan) -> Iterator[Finding]:
    if not plan.includes(entry.plan):
        message = f"{node.name} needs {_from(entry.plan)}, and the zone has {plan.label}"
        yield Finding("plan-field", message, node.at, f"a field of {plan.label}", None, entry.docs)
    elif entry.addon:
        message = f"{node.name} needs a paid add-on of Enterprise"
        yield Finding("plan-addon", message, node.at, None, None, entry.docs, "warning")


def _call(node: Call, function: Function, phase: str | None, plan: Plan | None, result: str) -> Iterator[Finding]:
    if phase and function.phases is not None and phase not in function.phases:
        message = f"{node.name} does not exist in {phase}"
        expected = "one of " + ", ".join(sorted(function.phases))
        yield Finding("phase-function", message, node.at, expected, None, function.docs)
    elif phase and function.computes and result != "value":
        message = f"{node.name} exists only where a rule computes a value"
        yield Finding("phase-function", message, node.at, "a rewrite or a target URL", None, function.docs)
    if plan and not plan.includes(function.plan):
        message = f"{node.name} needs {_from(function.plan)}, and the zone has {plan.label}"
        yield Finding("plan-function", message, node.at, f"a function of {plan.label}", None, function.docs)
    if function.addon:
        message = f"{node.name} must be enabled by Cloudflare for the account"
        yield Finding("plan-addon", message, node.at, None, None, function.docs, "warning")


def _operator(node: Compare, plan: Plan | None) -> Iterator[Finding]:
    operator = OPERATORS[node.op]
    if plan and not plan.includes(operator.plan):
        message = f"{node.op} needs {_from(operator.plan)}, and the zone has {plan.label}"
        hint = "write contains, wildcard, in, starts_with() or ends_with()"
        yield Finding("plan-operator", message, node.at, f"an operator of {plan.label}", hint, SOURCE.url)


def _managed_list(node: InList, plan: Plan | None) -> Iterator[Finding]:
    if plan and node.name.startswith("cf.") and not plan.includes(Plan.ENTERPRISE):
        message = f"the managed list ${node.name} needs Enterprise, and the zone has {plan.label}"
        yield Finding("plan-list", message, node.at, "a list of your own", None, _LISTS)


def _header_case(node: Index) -> Iterator[Finding]:
    if not isinstance(node.base, Field) or node.base.name not in _LOWER_CASE_MAPS:
        return
    if isinstance(node.key, bytes) and node.key != node.key.lower():
        name = node.key.decode("utf-8", "replace")
        message = f"header names are lowercase in {node.base.name}, so {name} never matches"
        docs = fields()[node.base.name].docs
        yield Finding("header-case", message, node.at, None, f'write ["{name.lower()}"]', docs, "warning")


def _from(plan: Plan) -> str:
    return plan.label if plan is Plan.ENTERPRISE else f"{plan.label} or more"
