"""Stand-ins in this process, opened once per test that asks for one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_driver import Driver, stand_in

Opened = Callable[..., Driver]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open stand-ins by name; all of a test share one rehearsal."""
    servers = []

    def open_one(plugin: str, token: str = "", settings: dict[str, Any] | None = None, **environment: str) -> Driver:
        driver, server = stand_in(plugin, tmp_path, environment)
        servers.append(server)
        driver.configure(settings or {})
        driver.token = token
        return driver

    yield open_one
    for server in servers:
        server.stop(None)
