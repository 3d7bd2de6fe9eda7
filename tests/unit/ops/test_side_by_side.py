"""Tests that share something stay with one worker, wherever it is shared; all others go to whoever is free."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def side_by_side() -> ModuleType:
    spec = importlib.util.spec_from_file_location("side_by_side", TESTS / "conftest.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/rehearsal/whole/test_whole_deploy.py::test_a[x]", "whole"),
        ("tests/rehearsal/whole/test_whole_leaks.py::test_b", "whole"),
        ("tests/rehearsal/host/test_firewall_machine.py::test_c", "host"),
        ("tests/rehearsal/host/test_host_converge.py::test_d", "test_host_converge"),
        ("tests/rehearsal/containers/test_serve.py::test_e", "test_serve"),
        ("tests/program/policies/test_scenarios.py::test_f", "test_scenarios"),
        (
            "tests/program/systems/test_killed.py::test_g[SIGINT]",
            "tests/program/systems/test_killed.py::test_g[SIGINT]",
        ),
    ],
)
def test_who_stays_with_whom(side_by_side: ModuleType, nodeid: str, group: str) -> None:
    assert (TESTS.parent / nodeid.partition("::")[0]).is_file()
    assert side_by_side.group(nodeid) == group


def test_no_two_folders_are_one_group(side_by_side: ModuleType) -> None:
    folders: dict[str, set[Path]] = {}
    for path in (TESTS / "rehearsal").rglob("test_*.py"):
        folders.setdefault(side_by_side.group(f"{path.relative_to(TESTS.parent)}::test"), set()).add(path.parent)
    assert [group for group, found in folders.items() if len(found) > 1] == []
