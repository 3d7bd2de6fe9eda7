"""One whole stack for all tests of this folder: bringing it up takes a minute, so each leaves it serving."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.rotating import Rotation, rotated
from rehearsal.stack import images_for
from rehearsal.whole import PACKAGES, WholeStack

NAME = "test-whole"


@pytest.fixture(scope="session")
def whole(engine: str) -> Iterator[WholeStack]:
    if engine:
        pytest.skip(engine)
    take_down(NAME)
    machine = Machine.up(NAME, Order(memory_mb=5000, packages=PACKAGES))
    try:
        with images_for(machine) as images:
            stack = WholeStack(machine, images, NAME)
            stack.forget()
            done = stack.up("1.4.2")
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr
            yield stack
            stack.forget()
    finally:
        take_down(NAME)


@pytest.fixture(scope="session")
def rotation(whole: WholeStack) -> Rotation:
    """One for the tests of rotation and for those of leaks: what it did, and what could be seen of it."""
    return rotated(whole, "postgres", "redis")
