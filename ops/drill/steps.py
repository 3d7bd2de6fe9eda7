"""What was done, how long each part of it took, and the page that says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from ops.session import say

RTO_SECONDS = 4 * 3600
RPO_SECONDS = 24 * 3600
TARGET_SECONDS = 600


@dataclass
class Step:
    name: str
    seconds: float = 0.0
    said: str = ""


@dataclass
class Steps:
    """Filled while things happen; `page` is for the file and `line` for the terminal."""

    title: str
    target: float = RTO_SECONDS
    """In seconds, where something shorter than the RTO is aimed at."""
    began: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    done: list[Step] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """What was verified, in the order in which it was."""
    failed: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """What is said about it goes into `said`."""
        step = Step(name)
        say(f"[{self.seconds:5.0f} s] {name}")
        started = time.monotonic()
        try:
            yield step
        except BaseException as error:
            self.failed = f"{name}: {error}" if str(error) else f"{name} was interrupted."
            raise
        finally:
            step.seconds = time.monotonic() - started
            self.done.append(step)
            if step.said:
                say(f"          {step.said}")

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.done)

    def lost(self, last: datetime, until: datetime) -> None:
        """How much was written after the backup, and is gone."""
        age = (until - last).total_seconds()
        kept = "within" if age <= RPO_SECONDS else "MORE THAN"
        self.facts["Recovery point"] = f"{last:%Y-%m-%d %H:%M:%S} UTC, {spoken(age)} before ({kept} the RPO of 24 h)"

    def page(self) -> str:
        rows = [f"| {step.name} | {step.seconds:.1f} | {step.said} |" for step in self.done]
        facts = [f"| {name} | {value} |" for name, value in self.facts.items()]
        parts = [
            f"# {self.title}",
            f"{self.began:%Y-%m-%d %H:%M} UTC. {self.verdict()}",
            "\n".join(["| step | seconds | |", "|---|---:|---|", *rows]),
        ]
        if facts:
            parts.append("\n".join(["| verified | |", "|---|---|", *facts]))
        return "\n\n".join(parts) + "\n"

    def verdict(self) -> str:
        if self.failed:
            return f"NOT RECOVERED: {self.failed}"
        took = self.seconds
        said = f"Recovered in {took:.0f} s: {'within' if took <= RTO_SECONDS else 'MORE THAN'} the RTO of 4 h"
        if self.target < RTO_SECONDS:
            said += f", {'within' if took <= self.target else 'OVER'} the target of {spoken(self.target)}"
        return f"{said}."

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.page())
        say(f"The report: {path}")


def spoken(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
