from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from stage import Stage


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(f"test-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10**8}")
    yield made
    made.remove()
