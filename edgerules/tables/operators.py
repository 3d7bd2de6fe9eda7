"""Comparison operators: both notations, the types they take, the plan they need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edgerules.tables.plans import Plan
from edgerules.tables.source import Source

SOURCE = Source("ruleset-engine/rules-language/operators/", date(2026, 11, 21))


@dataclass(frozen=True)
class Operator:
    """`takes` holds the letters of the left side's types: S string (and bytes), P IP address, I integer."""

    name: str
    symbol: str | None
    takes: str
    plan: Plan = Plan.FREE


OPERATORS = {
    op.name: op
    for op in (
        Operator("eq", "==", "SPI"),
        Operator("ne", "!=", "SPI"),
        Operator("lt", "<", "SI"),
        Operator("le", "<=", "SI"),
        Operator("gt", ">", "SI"),
        Operator("ge", ">=", "SI"),
        Operator("contains", None, "S"),
        Operator("matches", "~", "S", Plan.BUSINESS),
        Operator("wildcard", None, "S"),
        Operator("strict wildcard", None, "S"),
        Operator("in", None, "SPI"),
        # Not in the table of the documentation, but part of the published engine.
        Operator("bitwise_and", "&", "I"),
    )
}

BY_SYMBOL = {op.symbol: op for op in OPERATORS.values() if op.symbol}
LOGIC_SYMBOLS = {"&&": "and", "^^": "xor", "||": "or"}
LOGIC = ("or", "xor", "and")
"""From the loosest to the tightest; `not` binds tighter than all."""
