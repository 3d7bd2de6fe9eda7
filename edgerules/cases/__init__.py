"""Test cases for a zone: YAML files, run by `python -m edgerules test` or by pytest.

from edgerules.cases import pytest_cases

@pytest.mark.parametrize("case", pytest_cases("edge.cases.yaml", zone))
def test_edge(case):
    case.check()
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgerules.cases.load import Case, CaseFile, load_cases
from edgerules.cases.run import Result, run_case, run_file, tally
from edgerules.simulator import Edge
from edgerules.zone import Zone

__all__ = ["BoundCase", "Case", "CaseFile", "Result", "load_cases", "pytest_cases", "run_case", "run_file", "tally"]


@dataclass(frozen=True)
class BoundCase:
    """A case with the zone that it runs against."""

    case: Case
    edge: Edge

    def check(self) -> None:
        """Raise AssertionError with the full message when the case fails."""
        failures = run_case(self.edge, self.case).failures
        if failures:
            raise AssertionError("\n" + "\n".join(failures))


def pytest_cases(path: str | Path, zone: Zone | None = None) -> list[Any]:
    """The cases of a file as parameters for `pytest.mark.parametrize`, named after the cases.

    `zone` overrides the zone that the file names: give the one that the program really declares.
    """
    import pytest  # noqa: PLC0415 (only tests have it)

    file = load_cases(path, zone)
    edge = Edge(file.zone, file.zone_document)
    return [pytest.param(BoundCase(case, edge), id=case.name) for case in file.cases]
