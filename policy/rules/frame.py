"""What a rule is, and what it gets to see.

A rule judges resources of some types and yields a Finding for each property that is wrong. It never puts a property's
value into a message: inside a policy, secrets are plain text. A value that is unknown at preview, or a secret that
could not be decrypted, is not judged, and counted: the preview ends by saying what nobody has judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from pulumi_policy import EnforcementLevel, PolicyResourceOptions, Severity
from pulumi_policy.proxy import UnknownValueError

# What the engine puts in place of a secret that it cannot decrypt, whatever the value's type.
UNDECRYPTED = "[secret]"
# A rule with this type judges resources of every type.
ANY = "*"


@dataclass(frozen=True)
class Finding:
    """What is wrong with one property. The words must not contain its value."""

    property: str
    problem: str
    urn: str | None = None


class _Unjudged:
    def __repr__(self) -> str:
        return "UNJUDGED"


UNJUDGED = _Unjudged()


@dataclass(frozen=True)
class Resource:
    """What a rule may look at; the same for the resource that is judged and for its neighbours in a stack."""

    type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    options: PolicyResourceOptions
    unjudged: list[str] = field(default_factory=list, compare=False)
    # Paths that the engine keeps encrypted; None where nobody told which they are.
    secret: frozenset[str] | None = None
    # The inputs of the provider that will make it.
    provider: Mapping[str, Any] | None = field(default=None, compare=False)
    # For each property, the resources that its value comes from. Only known for a whole stack.
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def read(self, path: str, default: Any = None) -> Any:
        """The value at `a.b.0.c`; `default` where absent; UNJUDGED, and counted, where nobody can know it yet."""
        value: Any = self.props
        for step in _steps(path):
            value = _step(value, step)
            if value is None:
                return default
            if value is UNJUDGED:
                self.unjudged.append(path)
                return UNJUDGED
        return value

    def text(self, path: str) -> str | None:
        """The text at a path; None where there is none that could be judged."""
        value = self.read(path)
        return value if isinstance(value, str) else None

    def number(self, path: str, default: float | None = None) -> Any:
        """The number at a path, as text as well; UNJUDGED, and counted, where something else stands there."""
        value = self.read(path, default=default)
        if value is UNJUDGED or value is None:
            return value
        try:
            return float(value)
        except (TypeError, ValueError):
            self.unjudged.append(path)
            return UNJUDGED

    def size(self, path: str) -> Any:
        """How many entries a list or mapping has: 0 where it is absent, UNJUDGED where that is not known."""
        value = self.read(path)
        if value is UNJUDGED:
            return value
        return len(value) if hasattr(value, "__len__") and not isinstance(value, str) else 0

    def items(self, path: str) -> Iterator[tuple[str, Any]]:
        """Each item of the list at `path` that can be judged, with its own path."""
        values = self.read(path, default=[])
        if values is UNJUDGED or isinstance(values, str | Mapping) or not hasattr(values, "__len__"):
            return
        for index in range(len(values)):
            item = self.read(f"{path}.{index}")
            if item is not UNJUDGED:
                yield f"{path}.{index}", item

    def entries(self, path: str) -> Iterator[tuple[str, Any]]:
        """Each entry of the mapping at `path` that can be judged, with its own path."""
        values = self.read(path, default={})
        if not isinstance(values, Mapping):
            return
        for key in values:
            value = _step(values, key)
            if value is UNJUDGED:
                self.unjudged.append(f"{path}.{key}")
            elif value is not None:
                yield f"{path}.{key}", value

    def is_plain(self, path: str) -> bool:
        """True only where it is known that the engine does not keep the value at a path encrypted."""
        if self.secret is None:
            return False
        steps = _steps(path)
        return not any(".".join(steps[:count]) in self.secret for count in range(1, len(steps) + 1))


class Pattern:
    """A regular expression that is compiled when it is first needed: a preview without commands waits for none."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern, self._flags = pattern, flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        return self._compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        return self._compiled.match(text)

    def findall(self, text: str) -> list[str]:
        return self._compiled.findall(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self._compiled.finditer(text)


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _step(value: Any, step: str) -> Any:
    try:
        found = value.get(step) if isinstance(value, Mapping) else value[int(step)]
    except UnknownValueError:
        return UNJUDGED
    except (IndexError, TypeError, ValueError):
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
    # DISABLED: on request, for those whom it concerns; a stack switches it on with policy:levels.
    level: EnforcementLevel = EnforcementLevel.MANDATORY

    @property
    def subject(self) -> str:
        return self.id.split("-")[0]


@dataclass(frozen=True)
class Rule:
    """Judges one resource at a time: at preview, before anything exists."""

    about: About
    types: tuple[str, ...]
    check: Callable[[Resource], Iterable[Finding]]
    # Changes the inputs so that the rule is kept and says whether it did; only where that can break nothing.
    remediate: Callable[[MutableMapping[str, Any]], bool] | None = None


@dataclass(frozen=True)
class StackRule:
    """Judges how resources stand to each other."""

    about: About
    check: Callable[[list[Resource]], Iterable[Finding]]


class Stack(list[Resource]):
    """All resources of a stack, found by type without looking at each of them again for every rule."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        super().__init__(resources)
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self:
            self._by_type.setdefault(resource.type, []).append(resource)

    def of(self, types: Iterable[str]) -> list[Resource]:
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]


def of(resources: list[Resource], types: Iterable[str]) -> list[Resource]:
    stack = resources if isinstance(resources, Stack) else Stack(resources)
    return stack.of(types)


def known(value: Any) -> bool:
    return value is not UNJUDGED


def is_true(value: Any) -> bool:
    """A provider's own inputs reach a policy as JSON text."""
    return value is True or value == "true"


def must_be(
    path: str, good: Iterable[Any], problem: str, default: Any = None
) -> Callable[[Resource], Iterator[Finding]]:
    """The commonest rule: one property, the values that are good, and what the service takes where it is absent."""
    allowed = tuple(good)

    def check(resource: Resource) -> Iterator[Finding]:
        value = resource.read(path, default=default)
        if known(value) and value not in allowed:
            yield Finding(path, problem)

    return check


Check = Callable[[Resource], Iterable[Finding]]
Relation = Callable[[list[Resource]], Iterable[Finding]]


class Book:
    """The rules of one subject. What a person is told stands directly above the function that decides."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.rules: list[Rule | StackRule] = []

    def rule(  # noqa: PLR0913 - a rule is declared with everything that a person is told
        self,
        name: str,
        types: Iterable[str],
        reason: str,
        fix: str,
        *frameworks: str,
        severity: Severity = Severity.HIGH,
        level: EnforcementLevel = EnforcementLevel.MANDATORY,
        remediate: Callable[[MutableMapping[str, Any]], bool] | None = None,
    ) -> Callable[[Check], Check]:
        about = About(f"{self.subject}-{name}", reason, fix, severity, frameworks, level)

        def add(check: Check) -> Check:
            self.rules.append(Rule(about, tuple(types), check, remediate))
            return check

        return add

    def relation(
        self,
        name: str,
        reason: str,
        fix: str,
        *frameworks: str,
        severity: Severity = Severity.HIGH,
        level: EnforcementLevel = EnforcementLevel.MANDATORY,
    ) -> Callable[[Relation], Relation]:
        about = About(f"{self.subject}-{name}", reason, fix, severity, frameworks, level)

        def add(check: Relation) -> Relation:
            self.rules.append(StackRule(about, check))
            return check

        return add


ON_REQUEST = EnforcementLevel.DISABLED
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
