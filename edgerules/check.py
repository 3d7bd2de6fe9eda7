"""`python -m edgerules check`: one expression a line in, `ok` or the error for each out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from edgerules.tables.plans import Plan


def run(lines: Iterable[str], plan: Plan | None, phase: str | None, out: TextIO) -> int:
    """Answer for every line; 1 if one expression fails, else 0."""
    raise NotImplementedError
