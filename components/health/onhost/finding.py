"""What a look at something says: a level, one sentence, and the figure where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OK, UNKNOWN, WARNING, CRITICAL = "ok", "not looked at", "warning", "critical"
LEVELS = (OK, UNKNOWN, WARNING, CRITICAL)


@dataclass(frozen=True)
class Finding:
    name: str
    level: str
    text: str
    value: float | None = None
    vital: bool = False
    """The product does not work with this: the system is not healthy, and the check ends with 1."""

    @property
    def bad(self) -> bool:
        return self.level in (WARNING, CRITICAL)

    def data(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def fine(name: str, text: str, value: float | None = None) -> Finding:
    return Finding(name, OK, text, value)


def unknown(name: str, text: str) -> Finding:
    return Finding(name, UNKNOWN, text)


def warning(name: str, text: str, value: float | None = None) -> Finding:
    return Finding(name, WARNING, text, value)


def critical(name: str, text: str, value: float | None = None) -> Finding:
    return Finding(name, CRITICAL, text, value)


def broken(name: str, text: str, value: float | None = None) -> Finding:
    """Critical, and the product does not work with it."""
    return Finding(name, CRITICAL, text, value, vital=True)


def against(name: str, text: str, value: float, limits: Mapping[str, float]) -> Finding:
    """A figure beside its two limits, which are still in order themselves."""
    level = CRITICAL if value > limits["critical"] else WARNING if value > limits["warning"] else OK
    return Finding(name, level, text, round(value, 4))
