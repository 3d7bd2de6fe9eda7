from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from policies_stage import Rehearsal

from rehearsal.clouds.servers import stop
from rehearsal.workspace import WORKSPACES


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    name = f"test-policies-{os.getpid()}"
    yield Rehearsal(name)
    stop(WORKSPACES / name / "clouds")
    shutil.rmtree(WORKSPACES / name, ignore_errors=True)
