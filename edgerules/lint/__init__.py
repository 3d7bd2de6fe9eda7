"""Everything that can be said about a zone without sending it to Cloudflare."""

from __future__ import annotations

from edgerules.lint import expressions, lockout, order, plan, ratelimits, structure
from edgerules.lint.context import Context
from edgerules.lint.finding import ERROR, INFO, WARNING, Finding
from edgerules.zone import Document, Zone

__all__ = ["ERROR", "INFO", "WARNING", "Finding", "lint"]

_CHECKS = (
    expressions.check,
    structure.check,
    plan.check,
    ratelimits.check,
    order.check,
    lockout.check,
)


def lint(zone: Zone, document: Document | None = None) -> list[Finding]:
    """All findings, errors first. With the document they carry lines of the file."""
    context = Context(zone, document)
    found = [finding for check in _CHECKS for finding in check(context)]
    explained = {finding.rule for finding in found if finding.code == "never-true"}
    told = [item for item in found if item.code != "never-matches" or item.rule not in explained]
    return sorted(dict.fromkeys(told), key=lambda finding: finding.order)
