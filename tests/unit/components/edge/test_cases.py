"""The systems' case files against what the program really declares, not against what the builders promise."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from edge_mocks import declare, declared_zone
from systems import CASES, IPV4, IPV6, SYSTEMS

from components.edge.component import CloudflareEdgeArgs
from components.edge.rules.zone import MANAGED, rulesets
from edgerules.cases import load_cases, pytest_cases, run_file
from edgerules.cases.mutants import score
from edgerules.zone import Zone


@cache
def _zone(system: str) -> Zone:
    settings, site = SYSTEMS[system]()
    return declared_zone(declare(CloudflareEdgeArgs(settings, site, IPV4, IPV6)), settings)


def _cases() -> list[Any]:
    return [
        pytest.param(*case.values, id=f"{system}: {case.id}")
        for system, path in CASES.items()
        for case in pytest_cases(path, _zone(system))
    ]


@pytest.mark.parametrize("case", _cases())
def test_zone_does_what_the_case_says(case: Any) -> None:
    case.check()


def _droppable(system: str) -> list[Any]:
    """Every rule; the managed rulesets together, since one of them alone makes an end as unknown as both."""
    settings, site = SYSTEMS[system]()
    rules = [
        ({rule["ref"]}, phase)
        for phase, rules in rulesets(settings, site).items()
        for rule in rules
        if phase != MANAGED
    ]
    return [
        pytest.param(system, phase, refs, id=f"{system}: {' '.join(sorted(refs))}")
        for refs, phase in [*rules, ({"managed", "owasp"}, MANAGED)]
    ]


@pytest.mark.parametrize(("system", "phase", "refs"), [each for system in SYSTEMS for each in _droppable(system)])
def test_every_rule_has_a_case_that_fails_without_it(system: str, phase: str, refs: set[str]) -> None:
    zone = _zone(system)
    rules = {**zone.rules, phase: [rule for rule in zone.rules_of(phase) if rule.ref not in refs]}
    results = run_file(load_cases(CASES[system], zone.model_copy(update={"rules": rules})))
    assert any(not result.passed for result in results), f"nothing proves {refs}"


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_decided_by_a_guess(system: str) -> None:
    """The share of requests whose end nobody can tell offline: only the cases that are about it."""
    results = run_file(load_cases(CASES[system], _zone(system)))
    assert {result.case.name for result in results if result.verdicts["unknown"]} == {
        "managed rules and bot detection have the last word, and nobody can know it here",
        "health checks pass without help from bot detection, and nothing else does",
    }


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_cases_notice_nine_of_ten_changes_to_the_rules(system: str) -> None:
    zone = _zone(system)
    found = score(zone, list(load_cases(CASES[system], zone).cases))
    assert found.killed >= 0.9 * found.total, found.summary()
