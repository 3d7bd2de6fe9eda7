"""What was judged, found, excepted and left open in one run: the source of the summary and of the report files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from rules.frame import About, Finding, Resource

from .settings import PolicyException


@dataclass(frozen=True)
class Violation:
    about: About
    urn: str
    property: str
    problem: str
    level: str
    exception: PolicyException | None = None


@dataclass
class Ledger:
    """Several resources are judged at a time, so whoever writes holds the lock."""

    resources: set[str] = field(default_factory=set)
    judged: Counter[str] = field(default_factory=Counter)
    violations: dict[tuple[str, str, str, str], Violation] = field(default_factory=dict)
    # For each value that nobody could judge, the rules that asked for it.
    unjudged: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def note(self, about: About, resource: Resource, found: Iterable[Violation]) -> None:
        with self.lock:
            self.resources.add(resource.urn)
            self.judged[about.id] += 1
            for path in resource.unjudged:
                self.unjudged.setdefault((resource.urn, path), set()).add(about.id)
        self.add(found)

    def add(self, found: Iterable[Violation]) -> None:
        with self.lock:
            for each in found:
                self.violations[each.about.id, each.urn, each.property, each.problem] = each

    def standing(self) -> list[Violation]:
        """Violations that no exception covers, in one order whatever the order of the run."""
        return [each for _, each in sorted(self.violations.items()) if each.exception is None]

    def excepted(self) -> list[Violation]:
        return [each for _, each in sorted(self.violations.items()) if each.exception is not None]


def violation(about: About, finding: Finding, urn: str, level: str, exception: PolicyException | None) -> Violation:
    return Violation(about, finding.urn or urn, finding.property, finding.problem, level, exception)
