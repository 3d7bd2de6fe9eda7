"""Whether a rule of the pack notices what became of a resource: in process, through the SDK's own proxies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel, PolicyCustomTimeouts, PolicyResourceOptions
from pulumi_policy.proxy import unknown_checking_proxy

from tests.policy.mutation.mutants import Mutant

# The pack is run by path, so its folder comes first on the search path, as it does under the engine.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "policy"))

from rules import RULES
from rules.frame import Resource, StackRule
from rules.frame import Stack as Neighbours

Key = tuple[str, str, str]


class Index(Neighbours):
    """All resources by type, as the pack has them, in which one is exchanged without looking at all others again."""

    def with_other(self, old: Resource, new: Resource | None) -> Index:
        made = Index([])
        made._by_type = {**self._by_type, old.type: _exchanged(self._by_type[old.type], old, new)}
        made.extend(_exchanged(self, old, new))
        return made


class Stack:
    """The resources of one stack, and what the rules say of them as they are and with one of them changed."""

    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.resources = {str(each["urn"]): _resource(each) for each in resources}
        self.index = Index(self.resources.values())
        self.before = {*self._alone_all(), *self._together(self.index, _STACK_RULES)}
        self.looks_at = {rule.about.id: self._types_seen_by(rule) for rule in _STACK_RULES}

    def noticed_by(self, mutant: Mutant) -> list[str]:
        """The rules that say something new, in order."""
        declared, urn = mutant.changed(), str(mutant.resource["urn"])
        changed = _resource(declared) if declared is not None else None
        found = set(_alone(changed)) if changed else set()
        if not found - self.before:
            found |= self._relations(mutant, changed, urn)
        return sorted({rule for rule, _, _ in found - self.before})

    def _relations(self, mutant: Mutant, changed: Resource | None, urn: str) -> set[Key]:
        others = self.index.with_other(self.resources[urn], changed)
        kind = mutant.resource["type"]
        # A rule that never reads from a type says the same whatever stands there; not so where one is missing.
        rules = [rule for rule in _STACK_RULES if changed is None or kind in self.looks_at[rule.about.id]]
        return set(self._together(others, rules))

    def _alone_all(self) -> Iterator[Key]:
        for each in self.resources.values():
            yield from _alone(each)

    def _together(self, resources: Neighbours, rules: list[StackRule]) -> Iterator[Key]:
        for rule in rules:
            for finding in rule.check(resources):
                yield rule.about.id, finding.urn or "", finding.property

    def _types_seen_by(self, rule: StackRule) -> set[str]:
        seen: set[str] = set()
        list(rule.check(Neighbours(_Watched.of(each, seen) for each in self.index)))
        return seen


class _Watched(Resource):
    """Remembers the type of each resource of which more than type and name is looked at."""

    seen: set[str]

    @classmethod
    def of(cls, resource: Resource, seen: set[str]) -> _Watched:
        made = cls(**{name: getattr(resource, name) for name in Resource.__dataclass_fields__})
        object.__setattr__(made, "seen", seen)
        return made

    def __getattribute__(self, name: str) -> Any:
        if name in ("props", "read", "items", "options"):
            seen = object.__getattribute__(self, "__dict__").get("seen")
            if seen is not None:
                seen.add(object.__getattribute__(self, "type"))
        return object.__getattribute__(self, name)


# What is off unless a stack asks for it notices nothing.
_RULES = [rule for rule in RULES if rule.about.level is not EnforcementLevel.DISABLED]
_STACK_RULES = [rule for rule in _RULES if isinstance(rule, StackRule)]
_BY_TYPE: dict[str, list[Any]] = {}


def _rules_for(kind: str) -> list[Any]:
    if kind not in _BY_TYPE:
        alone = [rule for rule in _RULES if not isinstance(rule, StackRule)]
        _BY_TYPE[kind] = [rule for rule in alone if kind in rule.types or "*" in rule.types]
    return _BY_TYPE[kind]


def _alone(resource: Resource) -> Iterator[Key]:
    for rule in _rules_for(resource.type):
        for finding in rule.check(resource):
            yield rule.about.id, resource.urn, finding.property


def _resource(declared: dict[str, Any]) -> Resource:
    options = PolicyResourceOptions(
        declared["protect"],
        declared["ignoreChanges"],
        declared["deleteBeforeReplace"] or None,
        [],
        PolicyCustomTimeouts(0, 0, 0),
        declared["secretOutputs"],
        declared["parent"],
    )
    props = unknown_checking_proxy(dict(declared["inputs"]))
    known = {"secret": frozenset(declared["secrets"]), "sources": declared["sources"]}
    return Resource(declared["type"], declared["name"], declared["urn"], props, options, **known)


def _exchanged(resources: list[Resource], old: Resource, new: Resource | None) -> list[Resource]:
    place = next(index for index, each in enumerate(resources) if each is old)
    return [*resources[:place], *([new] if new else []), *resources[place + 1 :]]
