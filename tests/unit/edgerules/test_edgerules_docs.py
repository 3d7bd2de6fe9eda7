"""What the documentation shows is what the program does."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import yaml

import edgerules.cases.model
import edgerules.zone
from edgerules.cases import load_cases, run_file
from edgerules.cases.model import CasesSpec
from edgerules.cases.mutants import score
from edgerules.lint import lint
from edgerules.simulator import Edge
from edgerules.zone import Document, build, load, parse, validate

PAGE = Path(__file__).parents[3] / "docs" / "edge-rules.md"


def shown(text: str | None) -> str:
    """The indented block of a docstring."""
    lines = [line for line in (text or "").splitlines() if line.startswith("    ") or not line]
    return textwrap.dedent("\n".join(lines))


def test_the_first_steps_work_as_written(tmp_path: Path) -> None:
    zone, cases = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "shop.yaml").write_text(zone)
    (tmp_path / "shop.cases.yaml").write_text(cases)
    assert lint(*load(tmp_path / "shop.yaml")) == []
    file = load_cases(tmp_path / "shop.cases.yaml")
    assert [result.failures for result in run_file(file)] == [[], [], []]
    assert score(file.zone, list(file.cases)).survivors == []
    without_the_second = [file.cases[0], file.cases[2]]
    assert score(file.zone, without_the_second).survivors != []


def test_the_page_is_one_page() -> None:
    assert len(PAGE.read_text().splitlines()) <= 80


def test_the_shape_of_a_zone_is_the_shape_that_is_read() -> None:
    zone = build(parse(shown(edgerules.zone.__doc__), "docstring"))
    Edge(zone)
    assert lint(zone) == []


def test_the_shape_of_cases_is_the_shape_that_is_read() -> None:
    spec = validate(CasesSpec, Document("docstring", yaml.safe_load(shown(edgerules.cases.model.__doc__))))
    assert [case.name for case in spec.cases][1] == "the sixth login in a minute is limited"
