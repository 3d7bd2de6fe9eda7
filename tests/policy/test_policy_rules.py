"""Every rule: silent on what is compliant, and loud on each single way of breaking it."""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from broken_clouds import ROWS as CLOUDS
from broken_hosts import ROWS as HOSTS
from fixtures import CONTAINER
from judge import SECRET, UNKNOWN, all_findings, changed, judge, resource, rule_of
from rules import RULES
from rules.frame import Resource, Rule, StackRule
from stack import GOOD
from test_policy_relations import RELATIONS, SECRETNESS

BROKEN = [(row[0], row[1], row[2], row[3], row[4] if len(row) == 5 else row[2]) for row in (*HOSTS, *CLOUDS)]
IDS = [f"{row[0]}-{row[1]}-{index}" for index, row in enumerate(BROKEN)]


def good(name: str) -> Resource:
    type_, props = GOOD[name]
    return resource(type_, props, name, protect=True)


def broken(name: str, path: str, value: Any) -> Resource:
    type_, props = GOOD[name]
    return resource(type_, changed(props, path, value), name, protect=True)


def test_no_rule_complains_about_what_is_compliant() -> None:
    assert all_findings(*(good(name) for name in GOOD)) == {}


@pytest.mark.parametrize(("rule", "name", "path", "value", "named"), BROKEN, ids=IDS)
def test_rule_notices(rule: str, name: str, path: str, value: Any, named: str) -> None:
    assert judge(rule, good(name)) == [], "the fixture itself must be compliant"
    assert named in [finding.property for finding in judge(rule, broken(name, path, value))]


@pytest.mark.parametrize("value", [UNKNOWN, SECRET], ids=["unknown", "secret"])
@pytest.mark.parametrize(("rule", "name", "path", "_", "__"), BROKEN, ids=IDS)
def test_what_cannot_be_known_is_counted_and_not_judged(
    rule: str, name: str, path: str, _: Any, __: str, value: str
) -> None:
    """Whatever the unknown value hides, the rule neither fails nor passes in silence."""
    known = broken(name, path, value)
    assert judge(rule, known) == []
    assert known.unjudged, "an unknown value passed without being counted"


def test_every_rule_is_broken_by_some_test() -> None:
    tested = {row[0] for row in BROKEN} | {row[0] for row in RELATIONS} | SECRETNESS
    assert {rule.about.id for rule in RULES} - tested == set()


def test_messages_never_carry_a_value() -> None:
    canary = "canary-3f9c"
    for rule, name, path, value, _ in BROKEN:
        type_, props = GOOD[name]
        planted = planted_in(changed(props, path, value), canary)
        for finding in judge(rule, resource(type_, planted, name)):
            assert canary not in f"{finding.property}{finding.problem}", rule


def planted_in(value: Any, canary: str) -> Any:
    """The canary in every text: a rule that still finds something must not show it."""
    if isinstance(value, dict):
        return {key: planted_in(inner, canary) for key, inner in value.items()}
    if isinstance(value, list):
        return [planted_in(inner, canary) for inner in value]
    return f"{value} {canary}" if isinstance(value, str) else value


@pytest.mark.parametrize("rule", [rule.about.id for rule in RULES])
def test_rule_says_what_a_person_needs(rule: str) -> None:
    about = rule_of(rule).about
    for text in (about.reason, about.fix):
        assert len(text) <= 160
        assert text.endswith((".", ".)"))
    assert about.frameworks, "what it answers, or that it is a rule of our own"
    assert about.subject in (
        "exposure",
        "tls",
        "storage",
        "identity",
        "containers",
        "hosts",
        "credentials",
        "edge",
        "data",
        "naming",
    )


def test_every_type_is_one_of_the_sdk() -> None:
    """Not by importing: the SDKs' own files say which types they register."""
    kinds = {type_ for rule in RULES if isinstance(rule, Rule) for type_ in rule.types}
    unknown = {kind for kind in kinds if kind != "*" and not kind.startswith("pulumi:providers:")}
    for folder in ("aws/s3", "aws/iam", "cloudflare", "docker", "command/remote", "command/local", "random", "tls"):
        package, _, below = folder.partition("/")
        spec = find_spec(f"pulumi_{package}")
        assert spec
        assert spec.origin
        for file in (Path(spec.origin).parent / below).glob("*.py"):
            unknown -= set(re.findall(r"'(\w+:[\w/]+:\w+)'", file.read_text(encoding="utf-8")))
    assert unknown == set()


def test_stack_rules_are_for_relations() -> None:
    """A rule that can be judged before anything exists must not wait for the whole stack."""
    assert sum(isinstance(rule, StackRule) for rule in RULES) < len(RULES) / 4


def shapes(value: Any, odd: Any, path: str = "") -> list[str]:
    """The path of every value in a fixture."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    paths = [f"{path}.{key}" if path else str(key) for key, _ in inner]
    return [
        *paths,
        *(found for key, each in inner for found in shapes(each, odd, f"{path}.{key}" if path else str(key))),
    ]


@pytest.mark.parametrize("odd", [7.0, "x/0 y", True, [], {}, [{}], {"a": [1.0]}], ids=repr)
def test_no_shape_of_the_inputs_breaks_a_rule(odd: Any) -> None:
    """A provider refuses them later; until then the pack has to stay on its feet."""
    for name, (type_, props) in GOOD.items():
        for path in shapes(props, odd):
            if "-" in path or "kernel" in path or "net.core" in path:
                continue
            each = resource(type_, changed(props, path, odd), name)
            for rule in RULES:
                if isinstance(rule, Rule) and (type_ in rule.types or "*" in rule.types):
                    list(rule.check(each))


ENDLESS = (
    "curl ",
    "a.",
    "sudo -u ",
    "-----BEGIN ",
    "://a:",
    "ufw allow ",
    "chmod -R ",
    "eyJaaaaaaaaaaa.",
    "x=",
    "rm -r ",
)


@pytest.mark.parametrize("unit", ENDLESS)
def test_no_text_keeps_a_rule_busy(unit: str) -> None:
    """Patterns that search backwards without bound would hang a preview on one odd line."""
    text = unit * (100_000 // len(unit))
    command = resource("command:remote:Command", {"create": text, "environment": {"X_TOKEN": text}}, secret=())
    container = resource(CONTAINER, {"envs": [f"DATABASE_URL={text}"], "image": text, "command": [text]}, secret=())
    started = time.process_time()
    for each in (command, container):
        for rule in RULES:
            if isinstance(rule, Rule) and (each.type in rule.types or "*" in rule.types):
                list(rule.check(each))
    assert time.process_time() - started < 2
