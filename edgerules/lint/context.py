"""A zone with its rules parsed, for all checks of the linter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from edgerules.language import Expr, ExpressionError, parse
from edgerules.lint.finding import DOCS, Finding
from edgerules.tables.limits import LIMITS, PlanLimits
from edgerules.zone import Document, Rule, Zone, rule_name


@dataclass(frozen=True)
class Entry:
    """One enabled rule. `expr` is None where its expression does not parse (another check reports that)."""

    phase: str
    index: int
    rule: Rule
    name: str
    line: int | None
    expr: Expr | None = field(default=None, compare=False)

    def finding(
        self,
        code: str,
        severity: str,
        message: str,
        docs: str = "",
        column: int | None = None,
    ) -> Finding:
        return Finding(code, severity, message, self.name, self.phase, column, self.line, _reference(docs))


def _reference(docs: str) -> str:
    return docs if docs.startswith("http") else DOCS + docs


@dataclass(frozen=True)
class Context:
    zone: Zone
    document: Document | None = None

    @property
    def limits(self) -> PlanLimits:
        return LIMITS[self.zone.plan]

    @property
    def plan(self) -> str:
        return self.zone.plan.label

    @cached_property
    def entries(self) -> list[Entry]:
        return list(self._entries())

    def _entries(self) -> Iterator[Entry]:
        for phase, rules in self.zone.rules.items():
            for index, rule in enumerate(rules):
                if rule.enabled:
                    line = self.line("rules", phase, index)
                    yield Entry(phase, index, rule, rule_name(phase, index, rule), line, _parsed(rule.expression))

    def of(self, phase: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.phase == phase]

    def line(self, *path: str | int) -> int | None:
        return self.document.line(*path) if self.document else None

    def finding(self, code: str, severity: str, message: str, docs: str, *path: str | int) -> Finding:
        """A finding about the zone as a whole."""
        return Finding(code, severity, message, line=self.line(*path), reference=_reference(docs))


def _parsed(text: str) -> Expr | None:
    try:
        return parse(text)
    except ExpressionError:
        return None
