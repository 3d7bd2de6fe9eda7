"""Text -> syntax tree."""

from __future__ import annotations

from edgerules.language.errors import Finding
from edgerules.language.syntax import Expr
from edgerules.tables.plans import Plan


def parse(text: str, *, phase: str | None = None, plan: Plan | None = None, result: str = "filter") -> Expr:
    """Parse, type check and, where given, check what the phase and the plan allow.

    `result` is "filter" (the expression decides) or "value" (it computes a string, as in rewrites).
    Raises ExpressionError with the first problem.
    """
    raise NotImplementedError


def check_all(
    text: str, *, phase: str | None = None, plan: Plan | None = None, result: str = "filter"
) -> list[Finding]:
    """All findings that one pass can tell: one for a syntax or type error, each one of plan and phase."""
    raise NotImplementedError
