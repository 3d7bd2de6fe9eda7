"""One database and one bucket for all tests of this folder; each begins without a backup."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backup_stage import Stage, stage


@pytest.fixture(scope="session")
def stage_of_session(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if engine:
        pytest.skip(engine)
    root = tmp_path_factory.mktemp("backup")
    # The throw-away server runs as another user, below this folder.
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    with stage(root) as built:
        yield built


@pytest.fixture
def shop(stage_of_session: Stage) -> Iterator[Stage]:
    stage_of_session.forget()
    yield stage_of_session
    stage_of_session.forget()
