"""One product for the tests of this folder: each leaves it well."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `health_stage`

from health_stage import HealthStage, stage


@pytest.fixture(scope="session")
def product(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HealthStage]:
    if engine:
        pytest.skip(engine)
    with stage(tmp_path_factory.mktemp("health")) as built:
        yield built
