"""Whoever sees the end of a run alone reads there which tests failed and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ops import verdict

TESTS = """
import pytest

def test_good():
    pass

@pytest.mark.parametrize("number", range(12))
def test_bad(number):
    for line in range(40):
        print("chatter", line)
    assert {"answer": number} == {"answer": "forty-two"}

@pytest.fixture
def broken():
    raise RuntimeError("no machine")

def test_without_a_machine(broken):
    pass
"""


def report_of(folder: Path) -> Path:
    (folder / "test_some.py").write_text(TESTS)
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junit-xml={report}"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return report


def test_every_failure_is_named_and_the_first_ones_with_their_reason(tmp_path: Path) -> None:
    told = list(verdict.lines(report_of(tmp_path)))
    assert [line for line in told if line.startswith("FAILURE ")] == [
        f"FAILURE test_some.py::test_bad[{number}]" for number in range(12)
    ]
    assert "ERROR test_some.py::test_without_a_machine" in told
    assert "forty-two" in "\n".join(told)
    assert not [line for line in told if "chatter" in line or "test_good" in line]
    assert len(told) < 150


def test_a_run_that_wrote_no_report_is_a_sentence(tmp_path: Path) -> None:
    assert list(verdict.lines(tmp_path / "none.xml")) == ["There is no report of the tests: the reason stands above."]
