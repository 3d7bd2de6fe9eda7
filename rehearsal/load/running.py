"""Starts the client's process, listens to it, and ends it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from rehearsal import RehearsalError
from rehearsal.load.plan import SECONDS, Plan
from rehearsal.load.record import End, Record, read
from rehearsal.load.target import Target

FIRST = 60.0
"""A busy machine takes its time to start a process."""


@dataclass
class Heard:
    """Everything that the client has said so far."""

    plan: Plan
    records: list[Record] = field(default_factory=list)
    end: End | None = None


@contextmanager
def loading(target: Target, plan: Plan, each: Callable[[Record], None] = lambda _: None) -> Iterator[Heard]:
    """While the block runs somebody asks; afterwards everything has been heard. It begins with the first answer."""
    heard, first = Heard(plan), threading.Event()
    process = subprocess.Popen(
        [sys.executable, "-m", "rehearsal.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin  # noqa: S101 - a pipe
    process.stdin.write(json.dumps({"target": asdict(target), "plan": asdict(plan)}) + "\n")
    process.stdin.flush()
    listener = threading.Thread(target=_listen, args=(process, heard, first, each), daemon=True)
    listener.start()
    try:
        if not first.wait(FIRST) or process.poll():
            raise RehearsalError(f"The load client said nothing in {FIRST:.0f} s, or ended at once.")
        yield heard
    finally:
        process.stdin.close()
        listener.join(2 * (SECONDS + plan.slow) + FIRST)
        process.kill()
        process.wait()
    if heard.end is None:
        raise RehearsalError("The load client ended without a word: its figures are not complete.")


def _listen(
    process: subprocess.Popen[str], heard: Heard, first: threading.Event, each: Callable[[Record], None]
) -> None:
    assert process.stdout  # noqa: S101 - a pipe
    for line in process.stdout:
        said = read(line)
        if isinstance(said, End):
            heard.end = said
        else:
            heard.records.append(said)
            each(said)
        first.set()
    first.set()
