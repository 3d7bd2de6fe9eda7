"""The cases of the stand-in plugins live with their unit tests; here they meet a Docker engine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.docker import docker
from rehearsal.images import ensure_image

CASES = Path(__file__).resolve().parents[2] / "unit" / "rehearsal" / "offline" / "plugins"
sys.path.insert(0, str(CASES))
NAME = "stand-in"


@pytest.fixture(scope="session")
def case_image(engine: str) -> Iterator[str]:
    """The image that the cases name: one that can sleep."""
    docker("tag", ensure_image("base").tag, f"{NAME}-case:1")
    yield f"{NAME}-case:1"
    docker("rmi", f"{NAME}-case:1")


@pytest.fixture
def tidy() -> Iterator[None]:
    """Nothing of a case stays, whatever becomes of it; and nothing of a run that was killed is there before it."""
    clean_up()
    yield
    clean_up()


def clean_up() -> None:
    kinds = {"ps --all": "rm --force --volumes", "network ls": "network rm", "volume ls": "volume rm"}
    for kind, remove in kinds.items():
        for found in docker(*kind.split(), "--quiet", "--filter", f"name={NAME}-").split():
            docker(*remove.split(), found)
