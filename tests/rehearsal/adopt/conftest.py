"""One server with an old stack for the tests of this folder; they go through its life in order."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `old_stack`

from old_stack import OldStack, old_stack

NAME = "test-adopt"


@pytest.fixture(scope="module")
def old(engine: str) -> Iterator[OldStack]:
    if engine:
        pytest.skip(engine)
    with old_stack(NAME) as made:
        yield made
