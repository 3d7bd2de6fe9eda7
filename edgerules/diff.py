"""Which requests of a corpus change their verdict between two zones, and by which rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgerules.cases.load import load_cases
from edgerules.cases.requests import at_place, build
from edgerules.simulator import UNDECIDED, Edge, Outcome, Request
from edgerules.zone import InputError, Zone, read, read_text


@dataclass(frozen=True)
class Sent:
    """A request of the corpus, and when it is sent. `fresh`: counters and caches start empty."""

    request: Request
    at: float
    where: str
    fresh: bool


@dataclass(frozen=True)
class Change:
    sent: Sent
    times: int
    old: Outcome
    new: Outcome

    def text(self) -> str:
        times = f" ({self.times} times)" if self.times > 1 else ""
        return (
            f"{self.sent.where}: {self.sent.request}{times}\n  old: {self.old.summary()}\n  new: {self.new.summary()}"
        )

    def as_data(self) -> dict[str, Any]:
        return {
            "where": self.sent.where,
            "request": str(self.sent.request),
            "times": self.times,
            "old": _data(self.old),
            "new": _data(self.new),
        }


def _data(outcome: Outcome) -> dict[str, Any]:
    return {"verdict": outcome.verdict, "rule": outcome.rule, "status": outcome.status}


@dataclass(frozen=True)
class Report:
    changes: list[Change]
    total: int
    unknown: int

    def summary(self) -> str:
        changed = sum(change.times for change in self.changes)
        share = f"{100 * self.unknown / self.total:.1f} %" if self.total else "0 %"
        return f"{changed} of {self.total} requests change; {self.unknown} are unknown in the new zone ({share})"


def diff(old: Edge, new: Edge, corpus: list[Sent]) -> Report:
    """Send the corpus through both zones."""
    found: dict[Any, Change] = {}
    unknown = 0
    for sent in corpus:
        if sent.fresh:
            old.reset()
            new.reset()
        before, after = old.send(sent.request, sent.at), new.send(sent.request, sent.at)
        unknown += after.verdict == UNDECIDED
        if _effect(before) != _effect(after):
            key = (sent.where, _effect(before), _effect(after))
            times = found[key].times + 1 if key in found else 1
            found[key] = Change(found[key].sent if key in found else sent, times, before, after)
    return Report(list(found.values()), len(corpus), unknown)


def _effect(outcome: Outcome) -> tuple[Any, ...]:
    """What a reviewer wants to hear of: another verdict, rule, status or target."""
    location = outcome.stop.location if outcome.stop else None
    doubts = tuple(stop.rule for stop in outcome.maybe)
    return outcome.verdict, outcome.rule, outcome.action, outcome.status, location, doubts


def read_corpus(path: str | Path, zone: Zone, defaults: Mapping[str, Any] | None = None) -> list[Sent]:
    """A file of cases, a YAML or JSON list of requests, or text with one request a line (# comments).

    `defaults` hold for the requests of a list or a text; a file of cases has its own.
    """
    if Path(path).suffix.lower() not in (".yaml", ".yml", ".json"):
        return list(_from_lines(path, defaults or {}))
    document = read(path)
    if isinstance(document.value, dict):
        return list(_from_cases(path, zone))
    if not isinstance(document.value, list):
        raise InputError(f"{path}:1: a corpus is a list of requests, or a file of cases.")
    found = []
    for index, item in enumerate(document.value):
        if not isinstance(item, str | dict):
            raise InputError(f"{document.where(index)}: a request is a line of text or a mapping.")
        found.append(_sent(item, document.where(index), defaults or {}))
    return found


def _from_lines(path: str | Path, defaults: Mapping[str, Any]) -> Iterator[Sent]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _sent(line, f"{path}:{number}", defaults)


def _sent(item: str | dict[str, Any], where: str, defaults: Mapping[str, Any]) -> Sent:
    try:
        return Sent(build(item, defaults), 0.0, where, fresh=True)
    except ValueError as error:
        raise at_place(where, error) from None


def _from_cases(path: str | Path, zone: Zone) -> Iterator[Sent]:
    for case in load_cases(path, zone).cases:
        first = True
        for send in case.sends:
            for turn in range(send.repeat):
                yield Sent(send.request, send.at + turn * send.every, f"{case.file}:{send.line}", first)
                first = False
