"""What failed in a run of pytest, in few lines: from the report that it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

MOST = 8
LAST = 14
WIDTH = 240


def lines(report: Path) -> Iterator[str]:
    """Each failed test with the end of its reason; nothing but its name where there are many."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 (pytest wrote it a moment ago)
    except (OSError, ElementTree.ParseError):
        yield "There is no report of the tests: the reason stands above."
        return
    failed = [(case, reason) for case in cases for reason in case if reason.tag in ("failure", "error")]
    for number, (case, reason) in enumerate(failed):
        yield f"{reason.tag.upper()} {case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if number < MOST:
            yield from (f"    {line}" for line in _end_of(reason.text or reason.get("message") or ""))


def _end_of(reason: str) -> list[str]:
    said = [line.rstrip()[:WIDTH] for line in reason.splitlines() if line.strip()]
    return said[-LAST:]
