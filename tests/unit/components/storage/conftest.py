from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rehearsal.clouds import servers


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Clouds]:
    folder = tmp_path_factory.mktemp("clouds")
    yield servers.start(folder, owner=os.getpid())
    servers.stop(folder)
