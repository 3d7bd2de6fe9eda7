"""The pages about the pack say what the pack does; report files are what code hosts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from document import PAGE, TOOLS, answers, check_of, page
from fixtures import CONTAINER, POSTGRES
from judge import changed
from rules import RULES
from servicer import Declared, Pack
from test_policy_pack import EXCEPTION, GOOD_STACK, OPEN, settings

ROOT = Path(__file__).resolve().parents[2]
IDS = {rule.about.id for rule in RULES}


def test_the_table_of_rules_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make policy-docs"


def test_every_answer_names_rules_that_exist_or_says_why_there_is_none() -> None:
    for each in answers():
        assert each.tool in TOOLS
        assert set(each.rules) <= IDS, each.check
        assert bool(each.rules) != bool(each.reason), each.check
    assert len({(each.tool, each.check) for each in answers()}) == len(answers())


def test_what_a_rule_claims_to_answer_is_a_check_that_exists() -> None:
    known = {(each.tool, each.check) for each in answers()}
    claims = {claim for rule in RULES for claim in rule.about.frameworks}
    assert {claim for claim in claims if check_of(claim)[0] in TOOLS and check_of(claim) not in known} == set()


def test_the_pack_imports_the_standard_library_and_the_sdk_only() -> None:
    own = {"pack", "rules", "document", "pulumi_policy", "__future__"}
    for file in (ROOT / "policy").rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and not words[1].startswith("."):
                name = words[1].split(".")[0].rstrip(",")
                assert name in own or name in STANDARD, f"{file}: {line}"


STANDARD = __import__("sys").stdlib_module_names


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    """Of a run with one violation, one exception and much that is fine."""
    paths = tmp_path / "policy.sarif", tmp_path / "policy.xml"
    other = Declared(CONTAINER, changed(POSTGRES, "ports.0.ip", "0.0.0.0"), "replica", protect=True)
    environment = {
        **settings(exceptions=[EXCEPTION], levels={"naming-*": "advisory"}),
        "POLICY_SARIF": str(paths[0]),
        "POLICY_JUNIT": str(paths[1]),
        "PULUMI_STACK": "production",
    }
    unnamed = Declared(CONTAINER, {**POSTGRES, "labels": []}, "unnamed", protect=True)
    Pack(environment=environment).preview(*GOOD_STACK, OPEN, other, unnamed)
    return paths


def test_sarif_is_what_version_2_1_0_asks_for(reports: tuple[Path, Path]) -> None:
    log = json.loads(reports[0].read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert [rule["id"] for rule in rules[: len(RULES)]] == [rule.about.id for rule in RULES]
    for result in run["results"]:
        assert result["ruleId"] == rules[result["ruleIndex"]]["id"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert place["artifactLocation"]["uri"] == "Pulumi.production.yaml"
            assert place["region"]["startLine"] >= 1
            assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("urn:pulumi:")
        for suppression in result["suppressions"]:
            assert suppression["kind"] in ("inSource", "external")
            assert suppression["status"] in ("accepted", "underReview", "rejected")


def test_sarif_tells_stops_warnings_and_exceptions_apart(reports: tuple[Path, Path]) -> None:
    results = json.loads(reports[0].read_text())["runs"][0]["results"]
    by_name = {(each["ruleId"], each["message"]["text"].split(":")[0]): each for each in results}
    assert by_name["exposure-private-services", "replica"]["level"] == "error"
    assert by_name["exposure-private-services", "replica"]["suppressions"] == []
    assert by_name["exposure-private-services", "postgres"]["suppressions"][0]["justification"].startswith("moved")
    assert by_name["naming-tags", "unnamed"]["level"] == "warning"


def test_junit_counts_what_it_lists(reports: tuple[Path, Path]) -> None:
    root = Xml.fromstring(reports[1].read_text())  # noqa: S314 - our own file
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    for suite in suites.values():
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
    assert [case.get("name") for case in suites["exposure"].findall("testcase[failure]")] == [
        "exposure-private-services: replica ports.0.ip"
    ]
    assert len(suites["exposure"].findall("testcase[skipped]")) == 1
    assert len(suites["edge"].findall("testcase")) > 20


def test_reports_are_there_although_a_violation_ends_the_run(tmp_path: Path) -> None:
    """The engine stops at the first violation: nobody calls the stack's policies then."""
    path = tmp_path / "x.sarif"
    pack = Pack(environment={"POLICY_SARIF": str(path)})
    pack.servicer.Analyze(OPEN.request(), None)
    results: list[Any] = json.loads(path.read_text())["runs"][0]["results"]
    assert "exposure-private-services" in [each["ruleId"] for each in results]


def test_reports_do_not_make_a_run_with_many_violations_slow(tmp_path: Path) -> None:
    path = tmp_path / "x.sarif"
    pack = Pack(environment={"POLICY_SARIF": str(path)})
    open_ones = [Declared(OPEN.type, OPEN.props, f"p{number}") for number in range(400)]
    written = 0
    for each in open_ones:
        before = path.stat().st_mtime_ns if path.exists() else 0
        pack.servicer.Analyze(each.request(), None)
        written += path.stat().st_mtime_ns != before
    assert written < 200
    pack.stack(*open_ones)
    found = [each["ruleId"] for each in json.loads(path.read_text())["runs"][0]["results"]]
    assert found.count("exposure-private-services") == 400
