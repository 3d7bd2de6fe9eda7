"""Neighbours take root. Without it their tests are skipped aloud on a person's machine, and fail in CI."""

from __future__ import annotations

import os

import pytest

from rehearsal import RehearsalError
from rehearsal.neighbours import namespace


@pytest.fixture(autouse=True)
def _root() -> None:
    try:
        namespace.refuse_without_root()
    except RehearsalError as refusal:
        if os.environ.get("CI"):
            pytest.fail(f"The rehearsal must run here, but: {refusal}", pytrace=False)
        pytest.skip(str(refusal))
