"""The two ways in: `parse` raises at the first error, `check_all` lists all there is to say."""

from __future__ import annotations

from edgerules.language.checker import check_result
from edgerules.language.errors import ExpressionError, Finding
from edgerules.language.limits import check_length, check_limits
from edgerules.language.parser import parse_syntax
from edgerules.language.syntax import Expr
from edgerules.tables.plans import Plan


def parse(text: str, *, phase: str | None = None, plan: Plan | None = None, result: str = "filter") -> Expr:
    """Parse, type check and, where given, check what the phase and the plan allow.

    `result` is "filter" (the expression decides), "counting" (the counting expression of a rate limit, which
    may read the response) or "value" (it computes a string, as in rewrites).
    Raises ExpressionError with the first problem.
    """
    expr = _typed(text, result)
    for finding in check_limits(expr, phase=phase, plan=plan, result=result):
        if finding.severity == "error":
            raise ExpressionError(finding)
    return expr


def check_all(
    text: str, *, phase: str | None = None, plan: Plan | None = None, result: str = "filter"
) -> list[Finding]:
    """All findings in the order of the text: one for a syntax or type error, else each one of plan and phase,
    and warnings (deprecated fields, header names that never match, paid add-ons)."""
    try:
        expr = _typed(text, result)
    except ExpressionError as error:
        return [error.finding]
    findings = check_limits(expr, phase=phase, plan=plan, result=result)
    return sorted(findings, key=lambda finding: finding.at.offset)


def _typed(text: str, result: str) -> Expr:
    check_length(text)
    expr = parse_syntax(text)
    check_result(expr, result)
    return expr
