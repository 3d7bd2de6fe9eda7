"""One database elsewhere, one remote and one key for all tests of this folder; each begins without a backup."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from neon_stage import NeonStage, Pair, neon_stage, pair


@pytest.fixture(scope="session")
def neon_of_session(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NeonStage]:
    if engine:
        pytest.skip(engine)
    root = tmp_path_factory.mktemp("neon")
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    with neon_stage(root) as built:
        yield built


@pytest.fixture(scope="session")
def offline_key(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Its private half is not where the scripts look."""
    return pair(tmp_path_factory.mktemp("offline") / "own")


@pytest.fixture
def neon(neon_of_session: NeonStage, offline_key: Pair) -> Iterator[NeonStage]:
    neon_of_session.settings["gpg"]["fingerprint"] = offline_key.fingerprint
    (neon_of_session.root / "key.asc").write_text(offline_key.public)
    neon_of_session.forget()
    yield neon_of_session
    neon_of_session.forget()
