"""Rules as policies of the SDK, each resource read once for all of them.

The SDK asks every policy of a pack in turn and unpacks the resource anew for each: with a hundred rules most of a
preview would be unpacking. So the policies are a list that the SDK walks as usual, but the first one on it judges by
all rules, and the walk goes on only to those policies that have something to say. Should the SDK ever copy the list,
each policy judges for itself: slower, and the same result.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Secret,
    StackValidationArgs,
    StackValidationPolicy,
)
from rules.frame import About, Resource, Rule, Stack, StackRule

from .judge import Judge
from .ledger import Violation
from .text import block

# What each policy has to report on the resource, or the stack, that this thread is at: by policy, text and URN.
Found = dict[str, list[tuple[str, str | None]]]


class OnePass(list[Policy]):
    """The policies of the pack; see above."""

    def __init__(self, first: Iterable[Policy], rest: Iterable[Policy]) -> None:
        self._first, self._rest = list(first), list(rest)
        super().__init__([*self._first, *self._rest])
        # A configuration given to the engine may switch these on, so they are always asked.
        self._dormant = [policy for policy in self._rest if policy.enforcement_level is EnforcementLevel.DISABLED]
        self._by_name = {policy.name: policy for policy in self._rest}
        self._now = threading.local()

    def found(self) -> Found | None:
        return getattr(self._now, "found", None)

    def tell(self, found: Found) -> None:
        self._now.found = found

    def __iter__(self) -> Iterator[Policy]:
        self._now.found = None
        yield from self._first
        found = self.found()
        if found is None:
            yield from self._rest
        else:
            yield from self._dormant
            yield from [self._by_name[name] for name in found if self._by_name[name] not in self._dormant]
        self._now.found = None


class Dispatch:
    """Builds the policies and answers for them."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.secrets: dict[str, frozenset[str]] = {}
        self.inputs: dict[str, Mapping[str, Any]] = {}
        first = [self._resource_reader(), self._stack_reader()]
        rules = [self._resource_policy(r) if isinstance(r, Rule) else self._stack_policy(r) for r in judge.rules]
        self.policies = OnePass(first, [*rules, *(self._closing_policy(about) for about in judge.closing)])

    def _resource_reader(self) -> Policy:
        about = self.judge.configuration

        def remediate(args: ResourceValidationArgs) -> None:
            # The one moment at which the SDK tells which inputs are secret.
            self.secrets[args.urn] = frozenset(secret_paths(args.props))
            self.policies.tell({rule: [] for rule in self.judge.remediating()})

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            mistake = self.judge.configure(args.get_config())
            if mistake:
                report(mistake, None)
                self.policies.tell({})
            else:
                self.inputs[args.urn] = args.props
                self.policies.tell(_by_policy(self.judge.resource(self._resource(args))))

        return ResourceValidationPolicy(
            **_words(about, EnforcementLevel.REMEDIATE),
            validate=validate,
            remediate=cast(Any, remediate),
            config_schema=self.judge.config_schema,
        )

    def _stack_reader(self) -> Policy:
        about = self.judge.summary

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            stack = self._stack(args)
            found = _by_policy(self.judge.stack(stack))
            for name, text, urn in self.judge.close(stack):
                found.setdefault(name, []).append((text, urn))
            for text, urn in found.pop(about.id, []):
                report(text, urn)
            self.policies.tell(found)

        return StackValidationPolicy(validate=validate, **_words(about, about.level))

    def _resource_policy(self, rule: Rule) -> Policy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            found = self.policies.found()
            if found is None or rule.about.id not in found:
                found = _by_policy(self.judge.one(rule, self._resource(args)))
            for text, _ in found.get(rule.about.id, []):
                report(text, None)

        def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
            if args.resource_type not in rule.types or self.judge.excepts(rule.about.id, args.urn):
                return None
            # The SDK's own mapping: what was secret in it stays secret.
            return args.props if rule.remediate and rule.remediate(cast(Any, args.props)) else None

        return ResourceValidationPolicy(
            **_words(rule.about, self.judge.level(rule.about)),
            validate=validate,
            remediate=cast(Any, remediate) if rule.remediate else None,
        )

    def _stack_policy(self, rule: StackRule) -> Policy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            found = self.policies.found()
            if found is None or rule.about.id not in found:
                found = _by_policy(self.judge.relation(rule, self._stack(args)))
            for text, urn in found.get(rule.about.id, []):
                report(text, urn)

        return StackValidationPolicy(validate=validate, **_words(rule.about, self.judge.level(rule.about)))

    def _closing_policy(self, about: About) -> Policy:
        """Has nothing of its own to judge: it reports what the pass over the stack left for it."""

        def validate(_: StackValidationArgs, report: ReportViolation) -> None:
            for text, urn in (self.policies.found() or {}).get(about.id, []):
                report(text, urn)

        return StackValidationPolicy(validate=validate, **_words(about, about.level))

    def _resource(self, args: ResourceValidationArgs) -> Resource:
        secret = self.secrets.pop(args.urn, None)
        provider = args.provider.props if args.provider else None
        return Resource(
            args.resource_type, args.name, args.urn, args.props, args.opts, secret=secret, provider=provider
        )

    def _stack(self, args: StackValidationArgs) -> Stack:
        return Stack(self._from_stack(resource) for resource in args.resources)

    def _from_stack(self, each: PolicyResource) -> Resource:
        """While a provider's own configuration is unknown, the engine has nothing but the inputs that it showed before:
        without them a database on a server that does not exist yet would have no relations at all."""
        sources = {key: tuple(found.urn for found in given) for key, given in each.property_dependencies.items()}
        props = each.props or self.inputs.get(each.urn, {})
        return Resource(each.resource_type, each.name, each.urn, props, each.opts, sources=sources)


def _words(about: About, level: EnforcementLevel) -> dict[str, Any]:
    return {
        "name": about.id,
        "description": about.reason,
        "enforcement_level": level,
        "severity": about.severity,
        "remediation_steps": about.fix,
        "tags": [about.subject],
    }


def _by_policy(violations: Iterable[Violation]) -> Found:
    found: Found = {}
    for each in violations:
        if each.exception is None:
            found.setdefault(each.about.id, []).append((block(each), each.urn))
    return found


def secret_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where the inputs hold a Secret: the paths of its values, as a rule names them."""
    bare = value["__target"] if isinstance(value, Mapping) and not isinstance(value, dict) else value
    if isinstance(bare, Secret):
        yield path
    elif isinstance(bare, dict):
        for key, inner in bare.items():
            yield from secret_paths(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(bare, list):
        for index, inner in enumerate(bare):
            yield from secret_paths(inner, f"{path}.{index}" if path else str(index))
