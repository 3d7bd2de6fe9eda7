"""What is wrong with an expression, where, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://developers.cloudflare.com/ruleset-engine/rules-language/"


@dataclass(frozen=True)
class Position:
    """A place in an expression. Lines and columns start at 1; `offset` counts characters from 0."""

    offset: int = 0
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}" if self.line > 1 else f"column {self.column}"


@dataclass(frozen=True)
class Finding:
    """One problem of one expression.

    `code` is stable and short (`syntax`, `type`, `unknown-field`, `plan-operator`, `phase-function`, ...).
    `severity` is "error" for what Cloudflare refuses, "warning" for what it accepts but probably should not.
    `message` has no final stop; `sentence()` adds the place, what was expected and the suggestion.
    """

    code: str
    message: str
    at: Position = Position()
    expected: str | None = None
    suggestion: str | None = None
    docs: str = DOCS
    severity: str = "error"

    @property
    def column(self) -> int:
        return self.at.column

    @property
    def line(self) -> int:
        return self.at.line

    def sentence(self) -> str:
        """The whole finding as one sentence, without the docs reference."""
        parts = [f"{self.at}: {self.message}"]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.suggestion:
            parts.append(self.suggestion)
        text = "; ".join(parts)
        return text if text.endswith((".", "?")) else text + "."


class ExpressionError(ValueError):
    """An expression that Cloudflare would refuse. `str()` is one sentence."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence())
        self.finding = finding

    @property
    def code(self) -> str:
        return self.finding.code

    @property
    def message(self) -> str:
        return self.finding.message

    @property
    def line(self) -> int:
        return self.finding.at.line

    @property
    def column(self) -> int:
        return self.finding.at.column

    @property
    def expected(self) -> str | None:
        return self.finding.expected

    @property
    def suggestion(self) -> str | None:
        return self.finding.suggestion

    @property
    def docs(self) -> str:
        return self.finding.docs
