"""What a rule is, and how the engine gets to see it.

A rule judges resources of some types and yields a Finding for each property that is wrong. It never puts a property's
value into a message: inside a policy, secrets are plain text. A value that is unknown at preview, or a secret that
could not be decrypted, is not judged, and counted: the preview ends by saying what nobody has judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    PolicyResourceOptions,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

# What the engine puts in place of a secret that it cannot decrypt, whatever the value's type.
UNDECRYPTED = "[secret]"


@dataclass(frozen=True)
class Finding:
    """What is wrong with one property. The words must not contain its value."""

    property: str
    problem: str
    urn: str | None = None


@dataclass(frozen=True)
class Resource:
    """What a rule may look at; the same for the resource that is judged and for its neighbours in a stack."""

    type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    options: PolicyResourceOptions
    unjudged: list[str] = field(default_factory=list, compare=False)

    def read(self, path: str, default: Any = None) -> Any:
        """The value at `a.b.0.c`; `default` where absent; UNJUDGED, and counted, where nobody can know it yet."""
        value: Any = self.props
        for step in path.split("."):
            value = _step(value, step)
            if value is None:
                return default
            if value is UNJUDGED:
                self.unjudged.append(path)
                return UNJUDGED
        return value

    def items(self, path: str) -> Iterator[tuple[str, Any]]:
        """Each item of the list at `path` that can be judged, with its own path."""
        values = self.read(path, default=[])
        if values is UNJUDGED:
            return
        for index in range(len(values)):
            item = self.read(f"{path}.{index}")
            if item is not UNJUDGED:
                yield f"{path}.{index}", item


class _Unjudged:
    def __repr__(self) -> str:
        return "UNJUDGED"


UNJUDGED = _Unjudged()


def _step(value: Any, step: str) -> Any:
    try:
        found = value.get(step) if isinstance(value, Mapping) else value[int(step)]
    except UnknownValueError:
        return UNJUDGED
    except (IndexError, ValueError):
        # Not of the shape that the path expects: for the rule it is absent.
        return None
    return UNJUDGED if isinstance(found, str) and found == UNDECRYPTED else found


@dataclass(frozen=True)
class About:
    """What a person needs to know about a rule when it stops them."""

    id: str
    reason: str
    fix: str
    severity: Severity = Severity.HIGH
    frameworks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Judges one resource at a time: at preview, before anything exists."""

    about: About
    types: tuple[str, ...]
    check: Callable[[Resource], Iterable[Finding]]


@dataclass(frozen=True)
class StackRule:
    """Judges how resources stand to each other."""

    about: About
    check: Callable[[list[Resource]], Iterable[Finding]]


Unjudged = dict[tuple[str, str], set[str]]


def as_policies(rules: Iterable[Rule | StackRule]) -> list[Policy]:
    unjudged: Unjudged = {}
    policies: list[Policy] = [
        _resource_policy(rule, unjudged) if isinstance(rule, Rule) else _stack_policy(rule, unjudged) for rule in rules
    ]
    names = [policy.name for policy in policies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two rules share the id {', '.join(twice)}")
    return [*policies, _coverage_policy(unjudged)]


def _resource_policy(rule: Rule, unjudged: Unjudged) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in rule.types:
            return
        resource = Resource(args.resource_type, args.name, args.urn, args.props, args.opts)
        _report(rule.about, rule.check(resource), report)
        _note(unjudged, rule.about, resource)

    return ResourceValidationPolicy(validate=validate, **_words(rule.about))


def _stack_policy(rule: StackRule, unjudged: Unjudged) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [_from_stack(resource) for resource in args.resources]
        _report(rule.about, rule.check(resources), report)
        for resource in resources:
            _note(unjudged, rule.about, resource)

    return StackValidationPolicy(validate=validate, **_words(rule.about))


def _from_stack(resource: PolicyResource) -> Resource:
    return Resource(resource.resource_type, resource.name, resource.urn, resource.props, resource.opts)


def _words(about: About) -> dict[str, Any]:
    return {
        "name": about.id,
        "description": about.reason,
        "enforcement_level": EnforcementLevel.MANDATORY,
        "severity": about.severity,
        "remediation_steps": about.fix,
    }


def _report(about: About, findings: Iterable[Finding], report: ReportViolation) -> None:
    for finding in findings:
        sources = f" ({', '.join(about.frameworks)})" if about.frameworks else ""
        cast(Callable[..., None], report)(
            f"{finding.property}: {finding.problem}\n    Why: {about.reason}{sources}\n    Fix: {about.fix}",
            finding.urn,
        )


def _note(unjudged: Unjudged, about: About, resource: Resource) -> None:
    for path in resource.unjudged:
        unjudged.setdefault((resource.urn, path), set()).add(about.id)


def _coverage_policy(unjudged: Unjudged) -> Policy:
    """Nothing passes in silence: what no rule could judge is named, once, at the end."""

    def validate(_: StackValidationArgs, report: ReportViolation) -> None:
        for (urn, path), rules in sorted(unjudged.items()):
            cast(Callable[..., None], report)(
                f"{path} is not known yet, so {', '.join(sorted(rules))} could not judge it; `up` will.", urn
            )
        unjudged.clear()

    return StackValidationPolicy(
        name="coverage",
        description="Values that are unknown at preview are judged when they are known.",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=Severity.LOW,
    )
