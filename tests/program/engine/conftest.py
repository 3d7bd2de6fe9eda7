from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tinyproject import TinyProject

from ops import engine


@pytest.fixture(scope="session")
def engine_folder() -> Path:
    return engine.ensure(lambda text: print(text, file=sys.stderr))


@pytest.fixture
def projects(tmp_path: Path, engine_folder: Path) -> Iterator[Callable[[str], TinyProject]]:
    """Makes projects that share a backend. No test may leave a process behind, whatever it tests."""
    made: list[TinyProject] = []
    for folder in ("backend", "home"):
        (tmp_path / folder).mkdir()

    def project(name: str) -> TinyProject:
        home, backend = tmp_path / "home", tmp_path / "backend"
        made.append(TinyProject(tmp_path / name, engine_folder, home, backend, name))
        return made[-1]

    yield project
    for one in made:
        try:
            one.wait_for_none(seconds=5)
        finally:
            one.end_all()


@pytest.fixture
def tiny(projects: Callable[[str], TinyProject]) -> TinyProject:
    return projects("tiny")


@pytest.fixture
def built_host(engine_folder: Path) -> Path:
    """Our own language host; what is promised of it alone is not asked of the official release."""
    host = engine_folder / engine.HOST
    if b"which was built on this machine" not in host.read_bytes():
        pytest.skip("the engine on this machine is the official release")
    return host
