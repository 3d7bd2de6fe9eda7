"""The stack behind a real nginx: database, Redis, two backends, a frontend, and the configuration that ships."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `nginx_stage`

from nginx_stage import NginxStage, stage


@pytest.fixture(scope="session")
def behind(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxStage]:
    if engine:
        pytest.skip(engine)
    with stage(tmp_path_factory.mktemp("nginx")) as built:
        yield built
