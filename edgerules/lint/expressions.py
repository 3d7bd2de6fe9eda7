"""What is wrong with single expressions: syntax, types, plan, phase, lists, case, cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgerules.language import Expr, check_all, walk
from edgerules.language.regex import RegexError
from edgerules.language.regex.parse import parse_regex
from edgerules.language.syntax import Call, Compare, InList, InSet, Text
from edgerules.lint.context import Context, Entry
from edgerules.lint.finding import ERROR, WARNING, Finding
from edgerules.lint.logic import impossible
from edgerules.lint.logic.texts import one_element
from edgerules.lint.regexcost import costs
from edgerules.simulator.program import lists_of

_LISTS = "waf/tools/lists/"
_VALUES = "ruleset-engine/rules-language/values/"
_REGEX = "ruleset-engine/rules-language/operators/#comparison-operators"


def check(context: Context) -> Iterator[Finding]:
    for entry in context.entries:
        for text, result in _texts(entry):
            for found in check_all(text, phase=entry.phase, plan=context.zone.plan, result=result):
                message = "; ".join(part for part in (found.message, found.expected, found.suggestion) if part)
                yield entry.finding(found.code, found.severity, message, found.docs, found.column)
        if entry.expr is not None:
            yield from _lists(context, entry, entry.expr)
            yield from _never_true(context, entry, entry.expr)
            yield from _regex(entry, entry.expr)


def _texts(entry: Entry) -> Iterator[tuple[str, str]]:
    """Every expression of a rule, and what it has to result in."""
    yield entry.rule.expression, "filter"
    if entry.rule.ratelimit and entry.rule.ratelimit.counting_expression:
        yield entry.rule.ratelimit.counting_expression, "counting"
    yield from ((text, "value") for text in _values(entry.rule.parameters))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "expression" and isinstance(inner, str):
                yield inner
            else:
                yield from _values(inner)


def _lists(context: Context, entry: Entry, expr: Expr) -> Iterator[Finding]:
    for node in walk(expr):
        if isinstance(node, InList) and node.name not in context.zone.lists and not node.name.startswith("cf."):
            message = f"the list ${node.name} is not among the zone's lists"
            yield entry.finding("unknown-list", ERROR, message, _LISTS, node.column)


def _never_true(context: Context, entry: Entry, expr: Expr) -> Iterator[Finding]:
    """Single conditions that no value can meet, such as `lower(x) contains "SQLMap"`."""
    for node in walk(expr):
        called = isinstance(node, Call) and node.name in ("starts_with", "ends_with")
        if (called or isinstance(node, Compare | InSet)) and impossible((node, True), lists=lists_of(context.zone)):
            yield entry.finding("never-true", ERROR, _why_never(node), _VALUES, node.column)


def _why_never(node: Expr) -> str:
    subject = node.left if isinstance(node, Compare | InSet) else node.args[0] if isinstance(node, Call) else node
    subject = one_element(subject)
    if isinstance(subject, Call) and subject.name in ("lower", "upper"):
        letters = "capital" if subject.name == "lower" else "small"
        return f"this is never true: {subject.name}() returns no {letters} letters, and the text has some"
    if isinstance(node, Compare) and isinstance(node.right, Text) and not node.right.value.startswith(b"/"):
        return "this is never true: a path starts with /"
    return "this is never true: the field has no such value"


def _regex(entry: Entry, expr: Expr) -> Iterator[Finding]:
    for pattern, column in _patterns(expr):
        try:
            part, _ = parse_regex(pattern.decode("utf-8"))
        except (RegexError, UnicodeDecodeError):
            continue  # the type checker reports it
        for message in costs(part):
            yield entry.finding("regex-cost", WARNING, message, _REGEX, column)


def _patterns(expr: Expr) -> Iterator[tuple[bytes, int]]:
    for node in walk(expr):
        if isinstance(node, Compare) and node.op == "matches" and isinstance(node.right, Text):
            yield node.right.value, node.right.column
        if isinstance(node, Call) and node.name == "regex_replace" and isinstance(node.args[1], Text):
            yield node.args[1].value, node.args[1].column
