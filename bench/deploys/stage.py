"""The whole stack on a machine of the measurement's own, with as many backends as are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rehearsal import RehearsalError
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.stack import images_for
from rehearsal.whole import PACKAGES, WholeStack

SOAK, DRAIN = 12, 12
"""Seconds. Answers of 10 s have to fit into the drain; the old set drains during the soak, as with the defaults."""
FIRST = "1.5.0"
EACH_MB = 128
REST_MB = 3000


@contextmanager
def running(name: str, backends: int) -> Iterator[WholeStack]:
    take_down(name)
    try:
        machine = Machine.up(name, Order(memory_mb=REST_MB + 2 * backends * EACH_MB, packages=PACKAGES))
        with images_for(machine) as images:
            stack = WholeStack(machine, images, name, settings=settings(backends))
            stack.forget()
            done = stack.up(FIRST)
            if done.returncode:
                raise RehearsalError(f"The stack did not come up: {done.stdout[-3000:]}{done.stderr}")
            yield stack
            stack.forget()
    finally:
        take_down(name)


def settings(backends: int) -> dict[str, object]:
    backend = {"count": backends, "memory": f"{EACH_MB}MB"}
    # As in production: a busy machine must not make a bad release of a good one.
    rolling = {"soak": f"{SOAK}s", "drain": f"{DRAIN}s", "healthy_within": "180s"}
    return {"neurmatic:containers": {"backend": backend, "rolling": rolling}}
