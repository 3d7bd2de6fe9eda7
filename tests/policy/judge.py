"""Runs rules on resources, through the SDK's own proxies, so that unknown values behave as under the engine."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi_policy import PolicyCustomTimeouts, PolicyResourceOptions
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy
from rules import RULES
from rules.frame import ANY, UNDECRYPTED, Finding, Resource, Rule, Stack, StackRule

UNKNOWN = UNKNOWN_STRING_VALUE
SECRET = UNDECRYPTED
ABSENT = object()


def resource(
    type_: str,
    props: Mapping[str, Any],
    name: str = "it",
    protect: bool = False,
    secret: Iterable[str] | None = None,
    sources: Mapping[str, tuple[str, ...]] | None = None,
) -> Resource:
    urn = f"urn:pulumi:s::p::{type_}::{name}"
    options = PolicyResourceOptions(protect, [], False, None, [], PolicyCustomTimeouts(0, 0, 0), "")
    paths = None if secret is None else frozenset(secret)
    read = unknown_checking_proxy(copy.deepcopy(dict(props)))
    return Resource(type_, name, urn, read, options, secret=paths, sources=sources or {})


def changed(props: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of a compliant fixture that is wrong in one place; a path that is not there yet is made."""
    copied = copy.deepcopy(dict(props))
    place: Any = copied
    *steps, last = path.split("|" if "|" in path else ".")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if value is ABSENT:
        del place[int(last) if isinstance(place, list) else last]
    elif isinstance(place, list) and int(last) == len(place):
        place.append(value)
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return copied


def rule_of(rule_id: str) -> Rule | StackRule:
    return next(rule for rule in RULES if rule.about.id == rule_id)


def judge(rule_id: str, *resources: Resource) -> list[Finding]:
    rule = rule_of(rule_id)
    if isinstance(rule, Rule):
        judged = [each for each in resources if each.type in rule.types or ANY in rule.types]
        return [finding for each in judged for finding in rule.check(each)]
    return list(rule.check(Stack(resources)))


def all_findings(*resources: Resource) -> dict[str, list[Finding]]:
    found = {rule.about.id: judge(rule.about.id, *resources) for rule in RULES}
    return {rule: findings for rule, findings in found.items() if findings}
