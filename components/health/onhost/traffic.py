"""Error rate and response time, from what nginx has written down about the last minutes."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from components.health.onhost.containers import Stack
from components.health.onhost.finding import Finding, against, unknown

MOST = 4 << 20
"""Bytes of log that are read: some 8 000 requests, the newest ones."""
FEWEST = 50
"""Fewer requests say nothing about a share of 5 %."""
SWITCHED, CLIENT_LEFT = 101, 499


@dataclass(frozen=True)
class Request:
    at: float
    status: int
    seconds: float


def judged(whole: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    one = whole.single["nginx"]
    if one is None or not one.log:
        yield unknown("error rate", "nginx has no log that could be read")
        return
    try:
        found = list(recent(Path(one.log), settings))
    except OSError as error:
        yield unknown("error rate", f"nginx's log cannot be read ({error.strerror})")
        return
    yield from figures(found, settings["limits"])


def figures(found: Sequence[Request], limits: Mapping[str, Any]) -> Iterator[Finding]:
    if len(found) < FEWEST:
        yield unknown("error rate", f"{len(found)} requests in the last minutes are too few to judge")
        return
    minutes = (max(each.at for each in found) - min(each.at for each in found)) / 60
    over = f"{len(found)} requests over {max(minutes, 0.1):.1f} min"
    failed = sum(each.status >= 500 for each in found)
    share = failed / len(found)
    yield against("error rate", f"{share:.1%} of {over} failed", share, limits["error_rate"])
    # A WebSocket lasts as long as its visitor stays; one who left early was not answered.
    times = [each.seconds for each in found if each.status not in (SWITCHED, CLIENT_LEFT)]
    if len(times) >= FEWEST:
        slow = percentile(times, 0.95) * 1000
        yield against("response time", f"95 % of {over} took at most {slow:.0f} ms", slow, limits["latency"])


def percentile(values: Iterable[float], share: float) -> float:
    """By nearest rank: one that has happened."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def recent(log: Path, settings: Mapping[str, Any]) -> Iterator[Request]:
    since = time.time() - settings["window"]
    own = tuple(settings["ignored_paths"])
    for line in newest_lines(log):
        try:
            entry = json.loads(line)
            if entry.get("stream") != "stdout":
                continue
            said = json.loads(entry["log"])
            request = Request(moment(said["time"]), int(said["status"]), float(said["seconds"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        # Health checks and monitoring ask all the time, and are no visitors.
        if request.at >= since and not str(said.get("path", "")).startswith(own):
            yield request


def newest_lines(log: Path) -> list[str]:
    """Of the file that is written and the one that was rotated away last."""
    newest = tail(log, MOST)
    before = Path(f"{log}.1")
    if len(newest) < MOST and before.exists():
        newest = tail(before, MOST - len(newest)) + newest
    lines = newest.split(b"\n")
    # The first may be the end of one, the last one that is being written; neither is JSON, or both are whole.
    return [line.decode(errors="replace") for line in lines if line]


def tail(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most))
        return file.read(most)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
