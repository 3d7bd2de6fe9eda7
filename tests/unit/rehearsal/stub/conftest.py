"""One server for the tests that only ask it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `stub_process`

from stub_process import Backend, running


@pytest.fixture(scope="module")
def server() -> Iterator[Backend]:
    with running() as backend:
        yield backend
