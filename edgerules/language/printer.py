"""Syntax tree -> text that parses to the same tree."""

from __future__ import annotations

from edgerules.language.syntax import Expr


def to_text(expr: Expr) -> str:
    raise NotImplementedError
