"""One server as `up` leaves it, for all tests that look at it from outside or with other people's tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.hardened import ALL_PACKAGES, converge, settings_for
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.neighbours import siege

NAME = "test-hardened"


@pytest.fixture(scope="session")
def hardened(engine: str) -> Iterator[Machine]:
    """Tests of several files share it, in the order of their names: those of the baseline see it untouched."""
    take_down(NAME)
    machine = Machine.up(NAME, Order(memory_mb=1536, packages=(*ALL_PACKAGES, *siege.PACKAGES, "lynis")))
    try:
        found = converge(machine, settings_for(machine))
        assert not found.of("failed"), found.of("failed")
        yield machine
    finally:
        take_down(NAME)
