"""The verdicts: which rules apply, at which level, and what an exception covers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from pulumi_policy import EnforcementLevel, PolicyConfigSchema, Severity
from rules.frame import ANY, About, Finding, Resource, Rule, Stack, StackRule

from .ledger import Ledger, Violation, violation
from .reports import Reports
from .settings import PolicyException, PolicySettings, SettingsError, from_environment, parse
from .text import open_values, summary

CONFIGURATION = About(
    "pack-configuration",
    "A mistake in the policies' own configuration would switch something off that nobody meant to.",
    "Correct the setting that is named; docs/policy-pack.md describes each.",
)
EXCEPTIONS = About(
    "pack-exceptions",
    "An exception is a decision with a date: past it, or without a violation to cover, it only hides the next one.",
    "Remove the exception from policy:exceptions, or decide anew and give it a new date.",
    severity=Severity.MEDIUM,
)
COVERAGE = About(
    "coverage",
    "Values that are unknown at preview are judged when they are known.",
    "Nothing: `up` judges them before it makes the resource.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
)
SUMMARY = About(
    "pack-summary",
    "What the policies judged, by subject.",
    "Nothing.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
)
OWN = (CONFIGURATION, EXCEPTIONS, COVERAGE, SUMMARY)
AnyRule = Rule | StackRule
# Inputs of a shape that no provider takes: counted as not judged, and the other rules go on.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Judge:
    """All rules over one run."""

    configuration, summary, closing = CONFIGURATION, SUMMARY, (EXCEPTIONS, COVERAGE)
    config_schema = PolicyConfigSchema({"exceptions": {"type": "array"}, "reports": {"type": "object"}})

    def __init__(self, rules: Sequence[AnyRule], environment: Mapping[str, str], today: date) -> None:
        self.rules = list(rules)
        self.ids = [rule.about.id for rule in rules]
        _refuse_twice([*self.ids, *(about.id for about in OWN)])
        self.today = today
        self.settings = from_environment(environment, self.ids, today)
        self.ledger = Ledger()
        self.reports = Reports(self.settings.reports, self.rules, environment.get("PULUMI_STACK", ""))
        self._levels = {rule.about.id: self._level(rule) for rule in rules}
        self._configured: Any = None
        self._used: set[PolicyException] = set()
        self._by_type = self._index()

    def _index(self) -> dict[str, list[Rule]]:
        index: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if isinstance(rule, Rule) and self.level(rule.about) is not EnforcementLevel.DISABLED:
                for type_ in rule.types:
                    index.setdefault(type_, []).append(rule)
        return index

    def _level(self, rule: AnyRule) -> EnforcementLevel:
        asked = self.settings.level(rule.about.id)
        # A pattern for many rules changes how loud they are; it wakes none that is on request.
        if asked is None or (
            rule.about.level is EnforcementLevel.DISABLED and rule.about.id not in self.settings.levels
        ):
            return rule.about.level
        level = EnforcementLevel(asked)
        if level is EnforcementLevel.REMEDIATE and getattr(rule, "remediate", None) is None:
            if rule.about.id in self.settings.levels:
                raise SettingsError(f"policy:levels.{rule.about.id}: this rule cannot remediate, only stop or warn.")
            return rule.about.level
        return level

    def level(self, about: About) -> EnforcementLevel:
        return self._levels[about.id]

    def switched_off(self) -> list[str]:
        """Rules that are on for everyone else."""
        off = [rule.about for rule in self.rules if self.level(rule.about) is EnforcementLevel.DISABLED]
        return [about.id for about in off if about.level is not EnforcementLevel.DISABLED]

    def remediating(self) -> list[str]:
        """Rules that could; which of them shall is up to their level, and the engine may have been given another."""
        return [rule.about.id for rule in self.rules if isinstance(rule, Rule) and rule.remediate]

    def configure(self, given: Mapping[str, Any] | None) -> str:
        """What --policy-pack-config adds, for runs that have no stack file; says what is wrong with it."""
        if not given or given == self._configured:
            return ""
        try:
            self._add(parse(given, self.ids, self.today, "pack-configuration."))
        except SettingsError as error:
            return str(error)
        self._configured = dict(given)
        return ""

    def _add(self, more: PolicySettings) -> None:
        known = {replace(each, place="") for each in self.settings.exceptions}
        new = [each for each in more.exceptions if replace(each, place="") not in known]
        self.settings = replace(self.settings, exceptions=(*self.settings.exceptions, *new))
        self.reports.paths = {**self.reports.paths, **more.reports}

    def excepts(self, rule: str, urn: str, property_: str = "") -> PolicyException | None:
        for each in self.settings.exceptions:
            if each.expires >= self.today and each.covers(rule, urn, property_):
                return each
        return None

    def resource(self, resource: Resource) -> list[Violation]:
        """What all rules say of one resource."""
        found: list[Violation] = []
        for rule in (*self._by_type.get(resource.type, ()), *self._by_type.get(ANY, ())):
            found += self.one(rule, resource)
        if found:
            self.reports.write(self.ledger)
        return found

    def one(self, rule: Rule, resource: Resource) -> list[Violation]:
        if resource.type not in rule.types and ANY not in rule.types:
            return []
        resource.unjudged.clear()
        found: list[Violation] = []
        try:
            found += self._violations(rule.about, rule.check(resource), resource.urn)
        except UNREADABLE:
            resource.unjudged.append("its inputs")
        self.ledger.note(rule.about, resource, found)
        return found

    def stack(self, stack: Stack) -> list[Violation]:
        found: list[Violation] = []
        for rule in self.rules:
            if isinstance(rule, StackRule) and self.level(rule.about) is not EnforcementLevel.DISABLED:
                found += self.relation(rule, stack)
        return found

    def relation(self, rule: StackRule, stack: Stack) -> list[Violation]:
        for resource in stack:
            resource.unjudged.clear()
        found: list[Violation] = []
        try:
            found += self._violations(rule.about, rule.check(stack), "")
        except UNREADABLE:
            self.ledger.unjudged.setdefault(("", "the stack"), set()).add(rule.about.id)
        self.ledger.judged[rule.about.id] += 1
        for resource in stack:
            if resource.unjudged:
                self.ledger.note(rule.about, resource, ())
        self.ledger.add(found)
        return found

    def _violations(self, about: About, findings: Iterable[Finding], urn: str) -> Iterator[Violation]:
        level = self.level(about).value
        for finding in findings:
            exception = self.excepts(about.id, finding.urn or urn, finding.property)
            if exception:
                self._used.add(exception)
            yield violation(about, finding, urn, level, exception)

    def close(self, stack: Stack) -> Iterator[tuple[str, str, str | None]]:
        """What is said once, when the whole stack has been judged: by policy, text and URN."""
        for exception in self.settings.exceptions:
            problem = self._problem(exception)
            if problem:
                text = f"{exception.place}: {problem}\n  Fix: {EXCEPTIONS.fix}"
                found = Finding(exception.place, problem)
                self.ledger.add([violation(EXCEPTIONS, found, exception.resource, "mandatory", None)])
                yield EXCEPTIONS.id, text, None
        left = open_values(self.ledger)
        if left:
            yield COVERAGE.id, left, None
        table = summary(self.ledger, self.switched_off())
        if table:
            yield SUMMARY.id, table, None
        self.reports.write(self.ledger, last=True)
        self.ledger.unjudged.clear()

    def _problem(self, exception: PolicyException) -> str:
        if exception.expires < self.today:
            return f"expired on {exception.expires.isoformat()}; {exception.owner} answers for {exception.rule}."
        open_ = any(
            exception.rule in rules and exception.covers(exception.rule, urn, exception.property)
            for (urn, _), rules in self.ledger.unjudged.items()
        )
        if exception not in self._used and not open_:
            return f"covers nothing: {exception.rule} has no violation on such a resource."
        return ""


def _refuse_twice(ids: Sequence[str]) -> None:
    twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
    if twice:
        raise ValueError(f"two rules share the id {', '.join(twice)}")


def for_this_run(rules: Sequence[AnyRule]) -> Judge:
    return Judge(rules, os.environ, date.today())
