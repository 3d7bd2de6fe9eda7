"""Report files for code hosts: SARIF 2.1.0 and JUnit, written while the run goes on, because a violation ends it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_policy import Severity
from rules.frame import About, Rule, StackRule

from .ledger import Ledger, Violation
from .text import block, name_of, sources

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# How code hosts rank findings: https://docs.github.com/en/code-security (security-severity).
SCORES = {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}
# A run with more violations than this writes them from time to time, and all of them at the end.
SMALL, PAUSE = 100, 0.5


class Reports:
    def __init__(self, paths: Mapping[str, Path], rules: Sequence[Rule | StackRule], stack: str) -> None:
        self.paths = dict(paths)
        self.abouts = [rule.about for rule in rules]
        self.stack_file = f"Pulumi.{stack}.yaml" if stack else "Pulumi.yaml"
        self._written = 0.0

    def write(self, ledger: Ledger, last: bool = False) -> None:
        soon = time.monotonic() - self._written < PAUSE
        if not self.paths or (soon and not last and len(ledger.violations) > SMALL):
            return
        self._written = time.monotonic()
        with ledger.lock:
            if "sarif" in self.paths:
                replace_file(self.paths["sarif"], json.dumps(self.sarif(ledger), indent=1))
            if "junit" in self.paths:
                replace_file(self.paths["junit"], junit(ledger))

    def sarif(self, ledger: Ledger) -> dict[str, Any]:
        found = [*ledger.standing(), *ledger.excepted()]
        extra = {each.about.id: each.about for each in found}
        abouts = {**{about.id: about for about in self.abouts}, **extra}
        driver = {
            "name": "neurmatic policy pack",
            "informationUri": "https://www.pulumi.com/docs/insights/policy/",
            "rules": [_sarif_rule(about) for about in abouts.values()],
        }
        places = {id_: index for index, id_ in enumerate(abouts)}
        results = [_sarif_result(each, places, self.stack_file) for each in found]
        return {"version": "2.1.0", "$schema": SCHEMA, "runs": [{"tool": {"driver": driver}, "results": results}]}


def _sarif_rule(about: About) -> dict[str, Any]:
    return {
        "id": about.id,
        "shortDescription": {"text": about.reason},
        "help": {"text": f"{about.fix}\nAnswers: {sources(about)}"},
        "properties": {"tags": ["security", about.subject], "security-severity": SCORES[about.severity]},
    }


def _sarif_result(violation: Violation, places: Mapping[str, int], stack_file: str) -> dict[str, Any]:
    resource = {"fullyQualifiedName": f"{violation.urn}#{violation.property}", "kind": "resource"}
    text = f"{name_of(violation.urn)}: {block(violation)}"
    return {
        "ruleId": violation.about.id,
        "ruleIndex": places[violation.about.id],
        "level": "warning" if violation.level == "advisory" else "error",
        "message": {"text": text},
        "locations": [
            {
                # A resource has no line of its own; code hosts show nothing without a file.
                "physicalLocation": {"artifactLocation": {"uri": stack_file}, "region": {"startLine": 1}},
                "logicalLocations": [resource],
            }
        ],
        "partialFingerprints": {"resource/v1": f"{violation.about.id}|{violation.urn}|{violation.property}"},
        "suppressions": _suppressions(violation),
    }


def _suppressions(violation: Violation) -> list[dict[str, str]]:
    given = violation.exception
    if given is None:
        return []
    reason = f"{given.reason} ({given.owner}, until {given.expires.isoformat()})"
    return [{"kind": "external", "status": "accepted", "justification": reason}]


def junit(ledger: Ledger) -> str:
    """A test case for each rule that judged something, and one for each violation."""
    from xml.etree import ElementTree as Xml  # noqa: PLC0415 - only where it is asked for

    root = Xml.Element("testsuites", name="policies")
    standing, excepted = ledger.standing(), ledger.excepted()
    bad = {each.about.id for each in (*standing, *excepted)}
    subjects = sorted({rule.split("-")[0] for rule in (*ledger.judged, *bad)})
    for subject in subjects:
        failed = [each for each in standing if each.about.subject == subject]
        skipped = [each for each in excepted if each.about.subject == subject]
        passed = [rule for rule in sorted(ledger.judged) if rule.split("-")[0] == subject and rule not in bad]
        suite = Xml.SubElement(root, "testsuite", name=subject, errors="0")
        suite.set("tests", str(len(failed) + len(skipped) + len(passed)))
        suite.set("failures", str(len(failed)))
        suite.set("skipped", str(len(skipped)))
        for rule in passed:
            Xml.SubElement(suite, "testcase", classname=f"policies.{subject}", name=rule)
        for each in (*failed, *skipped):
            name = f"{each.about.id}: {name_of(each.urn)} {each.property}"
            case = Xml.SubElement(suite, "testcase", classname=f"policies.{subject}", name=name)
            _outcome(Xml.SubElement(case, "skipped" if each.exception else "failure"), each)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _outcome(element: Element, violation: Violation) -> None:
    if violation.exception:
        element.set("message", f"excepted: {violation.exception.reason}")
    else:
        element.set("message", violation.problem)
        element.set("type", violation.level)
        element.text = f"{violation.urn}\n{violation.about.reason}\n{block(violation)}"


def replace_file(path: Path, text: str) -> None:
    """Never half a file, even if the engine ends the pack meanwhile."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)
