"""Short ways to evaluate expressions in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgerules.language import Lists, compile_filter, compile_value, kind_of, parse
from edgerules.language.parser import parse_syntax

DATA = Path(__file__).parent / "data"


def rows(name: str) -> list[list[str]]:
    """The rows of a tab-separated data file."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def decide(text: str, request: dict[str, Any] | None = None, lists: Lists | None = None) -> Any:
    """The verdict of a filter expression."""
    return compile_filter(parse(text), lists)(request or {})


def value(text: str, request: dict[str, Any] | None = None) -> Any:
    """What any well-typed expression gives, of whatever type."""
    expr = parse_syntax(text)
    kind_of(expr)
    return compile_value(expr)(request or {})
