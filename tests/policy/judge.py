"""Runs one rule on resources, through the SDK's own proxies, so that unknown values behave as under the engine."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pulumi_policy import PolicyCustomTimeouts, PolicyResourceOptions
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy
from rules import RULES
from rules.frame import UNDECRYPTED, Finding, Resource, Rule

UNKNOWN = UNKNOWN_STRING_VALUE
SECRET = UNDECRYPTED
ABSENT = object()


def resource(type_: str, props: Mapping[str, Any], name: str = "it", protect: bool = False) -> Resource:
    urn = f"urn:pulumi:s::p::{type_}::{name}"
    options = PolicyResourceOptions(protect, [], False, None, [], PolicyCustomTimeouts(0, 0, 0), "")
    return Resource(type_, name, urn, unknown_checking_proxy(dict(props)), options)


def changed(props: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of a compliant fixture that is wrong in one place."""
    copied = copy.deepcopy(dict(props))
    place: Any = copied
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key: Any = int(last) if isinstance(place, list) else last
    if value is ABSENT:
        del place[key]
    else:
        place[key] = value
    return copied


def judge(rule_id: str, *resources: Resource) -> list[Finding]:
    rule = next(rule for rule in RULES if rule.about.id == rule_id)
    if isinstance(rule, Rule):
        return [finding for each in resources if each.type in rule.types for finding in rule.check(each)]
    return list(rule.check(list(resources)))


def all_findings(*resources: Resource) -> dict[str, list[Finding]]:
    found = {rule.about.id: judge(rule.about.id, *resources) for rule in RULES}
    return {rule: findings for rule, findings in found.items() if findings}
