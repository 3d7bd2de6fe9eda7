"""Which tests stay together when workers run them side by side: `--dist loadgroup`.

By file and folder, as the scheduler knows nothing but names. (xdist's own groups by mark need an older pytest.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
FIXTURE = re.compile(r"@pytest\.fixture.*\ndef (\w+)")
# What takes longest begins first, so that no worker is left with it at the end.
LONGEST = (
    *("whole", "test_serve", "test_boot", "test_host_interrupted", "host", "test_host_converge", "backup"),
    *("test_scenarios", "engine"),
)


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups | None:
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(group(item.nodeid), len(LONGEST)))
    yield


def group(nodeid: str) -> str:
    """Tests of a folder or file that use what is made once for it; any other one goes to whoever is free."""
    path = TESTS.parent / nodeid.partition("::")[0]
    if uses_what_the_session_shares(path):
        return path.parent.name
    # Rehearsals of one file use the same names for containers and machines.
    if TESTS / "rehearsal" in path.parents or 'scope="module"' in text(path):
        return path.stem
    return nodeid


@cache
def uses_what_the_session_shares(path: Path) -> bool:
    """Whether the folder makes something once for the session, and this file uses a fixture of the folder's."""
    shared = text(path.parent / "conftest.py")
    names = FIXTURE.findall(shared) if 'scope="session"' in shared else []
    return any(re.search(rf"\b{name}\b", text(path)) for name in names)


@cache
def text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
