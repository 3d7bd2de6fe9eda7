"""What the requests of a time tell together, and whether they may be believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from rehearsal.load.record import End, Record
from rehearsal.load.running import Heard

HELD = 0.9
"""Of the rate: with less the client has not asked what it says it has."""


@dataclass(frozen=True)
class Phase:
    """A part of a change, by the clock of the machine."""

    name: str
    began: float
    ended: float

    def overlaps(self, record: Record) -> bool:
        return record.began < self.ended and record.ended > self.began


@dataclass(frozen=True)
class Report:
    records: Sequence[Record]

    def of(self, kind: str) -> Report:
        return Report([record for record in self.records if record.kind == kind])

    def during(self, *phases: Phase) -> Report:
        return Report([record for record in self.records if any(phase.overlaps(record) for phase in phases)])

    def outside(self, *phases: Phase) -> Report:
        return Report([record for record in self.records if not any(phase.overlaps(record) for phase in phases)])

    @property
    def kinds(self) -> list[str]:
        return sorted({record.kind for record in self.records})

    @property
    def quick(self) -> Report:
        """Without those that are slow on purpose."""
        return Report([record for record in self.records if record.kind != "slow"])

    @property
    def failed(self) -> Counter[str]:
        return Counter(record.outcome for record in self.records if record.outcome)

    @property
    def again(self) -> int:
        return sum(record.again for record in self.records)

    @property
    def on_idle(self) -> int:
        return sum(record.on_idle for record in self.records)

    @property
    def late(self) -> float:
        """How far behind its plan the client itself was, p99."""
        return percentile([record.began - record.due for record in self.records], 99)

    def seconds(self, percent: float) -> float:
        return percentile([record.seconds for record in self.records], percent)

    def table(self) -> str:
        """Each class by itself."""
        lines = [
            "| class | requests | failed | sent again | on a closing idle connection | p50, ms | p95, ms | p99, ms |"
        ]
        lines.append("|---|---|---|---|---|---|---|---|")
        for kind in [*self.kinds, "all but slow"]:
            part = self.quick if kind == "all but slow" else self.of(kind)
            times = " | ".join(f"{part.seconds(percent) * 1000:.1f}" for percent in (50, 95, 99))
            failures = ", ".join(f"{count} {name}" for name, count in sorted(part.failed.items())) or "0"
            lines.append(f"| {kind} | {len(part.records)} | {failures} | {part.again} | {part.on_idle} | {times} |")
        return "\n".join(lines)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; no value is made up between two."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def mistakes(heard: Heard, phases: Sequence[Phase] = (), ledger: Mapping[str, int] | None = None) -> Iterator[str]:
    """Why these figures prove nothing, or what they prove against the server; nothing when all is well."""
    assert heard.end  # noqa: S101 - the client has ended
    yield from unheld(heard.end, heard.plan.expected)
    for phase in phases:
        if not any(phase.overlaps(record) for record in heard.records):
            yield f"no request overlapped the phase {phase.name}: it was not measured"
    if ledger is not None:
        yield from miswritten(heard.records, ledger)
    for outcome, count in sorted(Report(heard.records).failed.items()):
        yield f"{count} failed: {outcome}"


def unheld(end: End, rate: float) -> Iterator[str]:
    wanted = (end.ended - end.began) * rate
    if end.sent < HELD * wanted:
        yield f"only {end.sent} of {wanted:.0f} requests were sent: the rate was not held"


def miswritten(records: Sequence[Record], ledger: Mapping[str, int]) -> Iterator[str]:
    for name, keys in (("lost", lost(records, ledger)), ("doubled", doubled(records, ledger))):
        if keys:
            yield f"{len(keys)} {name}: {', '.join(keys[:5])}"


def lost(records: Sequence[Record], ledger: Mapping[str, int]) -> list[str]:
    """Acknowledged, and not there."""
    return [record.key for record in records if record.key and not record.outcome and record.key not in ledger]


def doubled(records: Sequence[Record], ledger: Mapping[str, int]) -> list[str]:
    """Done more than once, acknowledged or not."""
    return [record.key for record in records if ledger.get(record.key, 0) > 1]
