"""`python -m edgerules check`: one expression a line in, `ok` or the error for each out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from edgerules.language import check_all
from edgerules.language.errors import Finding
from edgerules.tables.phases import VALUE_PHASES
from edgerules.tables.plans import Plan


def run(lines: Iterable[str], plan: Plan | None, phase: str | None, out: TextIO) -> int:
    """Answer for every line; 1 if one expression fails, else 0. Empty lines are left out."""
    failed = False
    for line in lines:
        text = line.strip(" \r\n")
        if text:
            errors = check_line(text, plan, phase)
            failed |= bool(errors)
            print(" ".join(finding.sentence() for finding in errors) or "ok", file=out)
    return int(failed)


def check_line(text: str, plan: Plan | None, phase: str | None) -> list[Finding]:
    """The errors of one expression. Where the phase computes values, one that gives a string is as good."""
    errors = _errors(text, plan, phase, "filter")
    if errors and (phase is None or phase in VALUE_PHASES):
        as_value = _errors(text, plan, phase, "value")
        errors = [] if not as_value else _more_telling(errors, as_value)
    return errors


def _errors(text: str, plan: Plan | None, phase: str | None, result: str) -> list[Finding]:
    findings = check_all(text, phase=phase, plan=plan, result=result)
    return [finding for finding in findings if finding.severity == "error"]


def _more_telling(as_filter: list[Finding], as_value: list[Finding]) -> list[Finding]:
    """A sentence about the expression itself says more than one about the kind of its result."""
    return as_value if as_filter[0].code == "type" and as_value[0].code != "type" else as_filter
