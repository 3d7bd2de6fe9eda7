"""One pair of clouds for the tests that only call them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.clouds import servers

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `cloud_clients`

from cloud_clients import Cloudflare, new_zone


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Clouds]:
    folder = tmp_path_factory.mktemp("clouds")
    yield servers.start(folder, owner=os.getpid())
    servers.stop(folder)


@pytest.fixture(autouse=True)
def fair_weather(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that one test has left behind would hit another."""
    yield
    if "clouds" in request.fixturenames:
        request.getfixturevalue("clouds").clear_faults()


@pytest.fixture
def cloudflare(clouds: servers.Clouds) -> Cloudflare:
    return Cloudflare(clouds)


@pytest.fixture
def zone(clouds: servers.Clouds) -> servers.Zone:
    """A zone of the test's own, on the Pro plan."""
    return new_zone(clouds, "pro")
