"""Every fixture of the policy tests as a state, judged by the real engine in one run: it says what the tests say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from policies_stage import run

from rehearsal.workspace import ROOT

pytestmark = pytest.mark.engine

STACK = "urn:pulumi:fixtures::fixtures::pulumi:pulumi:Stack::fixtures-fixtures"

# In a process of its own: its modules have names that other tests use as well.
FIXTURES = """
import json, sys
sys.path[:0] = [{policy!r}, {tests!r}]
from judge import all_findings, changed, resource
from rules import RULES
from rules.frame import Rule
from stack import GOOD
from test_policy_rules import BROKEN

alone = {{rule.about.id for rule in RULES if isinstance(rule, Rule) and rule.about.level.value != "disabled"}}
rows = [(name, type_, props) for name, (type_, props) in GOOD.items()]
for index, row in enumerate(BROKEN):
    type_, props = GOOD[row[1]]
    rows.append((f"broken-{{index}}", type_, changed(props, row[2], row[3])))
# Nothing in the state is encrypted, and the engine tells so.
said = [set(all_findings(resource(type_, props, name, protect=True, secret=()))) & alone for name, type_, props in rows]
found = [
    {{"name": name, "type": type_, "props": props, "rules": sorted(rules)}}
    for (name, type_, props), rules in zip(rows, said)
]
json.dump({{"fixtures": found, "rules": sorted(alone)}}, sys.stdout)
"""


@pytest.fixture(scope="module")
def fixtures() -> dict[str, Any]:
    program = FIXTURES.format(policy=str(ROOT / "policy"), tests=str(ROOT / "tests" / "policy"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def state(fixtures: list[dict[str, Any]]) -> dict[str, Any]:
    """As `pulumi stack export` writes it."""
    resources: list[dict[str, Any]] = [{"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False}]
    for each in fixtures:
        urn = f"urn:pulumi:fixtures::fixtures::{each['type']}::{each['name']}"
        values = {"inputs": each["props"], "outputs": each["props"]}
        resources.append(
            {"urn": urn, "type": each["type"], "custom": True, "id": each["name"], "protect": True, **values}
        )
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": resources}}


def judged(file: Path, fixtures: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The rules that the engine reports, by resource."""
    file.write_text(json.dumps(state(fixtures)))
    command = [str(ROOT / "infra"), "judge", "--stack", "production", "--file", str(file), "--json"]
    found: dict[str, set[str]] = {each["name"]: set() for each in fixtures}
    lines = [line for line in run(command, ROOT, None).text.splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    assert any("summaryEvent" in event for event in events), lines[-3:]
    for event in (each["policyEvent"] for each in events if "policyEvent" in each):
        found.setdefault(event.get("resourceUrn", "").rpartition("::")[2], set()).add(event["policyName"])
    return found


def test_the_engine_says_of_every_fixture_what_the_tests_say(fixtures: dict[str, Any], tmp_path: Path) -> None:
    every, alone = fixtures["fixtures"], set(fixtures["rules"])
    assert len(every) > 200
    found = judged(tmp_path / "state.json", every)
    differing = {
        each["name"]: (sorted(found[each["name"]] & alone), each["rules"])
        for each in every
        if found[each["name"]] & alone != set(each["rules"])
    }
    assert differing == {}
