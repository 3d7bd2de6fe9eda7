"""For a test that only wants somebody to keep asking while it does something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rehearsal.load.plan import Plan
from rehearsal.load.record import Record
from rehearsal.load.running import loading
from rehearsal.load.target import Target


@dataclass
class Seen:
    """What came back, by the version that said it; and the keys of all changes that were acknowledged."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    written: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        return self.answers.total() + self.failed.total()

    def take(self, record: Record) -> None:
        self.slowest = max(self.slowest, record.seconds)
        if record.outcome:
            self.failed[record.outcome] += 1
            return
        self.answers[record.version] += 1
        if record.key:
            self.written.append(record.key)


@contextmanager
def asking(target: Target, prefix: str = "load") -> Iterator[Seen]:
    """Until the block ends: reads and writes, on kept connections, new ones and by HTTP/2."""
    seen = Seen()
    with loading(target, Plan(prefix=prefix, seconds=600), seen.take):
        yield seen
