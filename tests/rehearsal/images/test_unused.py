"""Images that nobody wants any more go, and no other. It works on labels of this test's own."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.docker import docker
from rehearsal.images import unused

pytestmark = pytest.mark.rehearsal
LABEL = "neurmatic.rehearsal.test-unused"
NAMES = ("rehearsal-unused/free:1", "rehearsal-unused/used:1", "rehearsal-unused/held:1")
FREE, USED, HELD = NAMES
DAY = 24 * 3600


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(unused, "LABELS", (LABEL,))
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    for name in NAMES:
        docker("import", "--change", f"LABEL {LABEL}={name}", "-", name, stdin=nothing.getvalue())
    container = docker("create", HELD, "none")
    yield
    docker("rm", container)
    for name in there():
        docker("image", "rm", name)


def there() -> set[str]:
    row = ("--format", "{{.Repository}}:{{.Tag}}")
    return {*docker("image", "ls", "--filter", f"label={LABEL}", *row).splitlines()}


def test_what_is_old_unused_and_of_no_container_goes(images: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unused.sweep() == []
    assert there() == {*NAMES}

    unused.used(USED)
    yesterday = time.time() + (unused.DAYS - 1) * DAY
    os.utime(unused._mark(USED), (yesterday, yesterday))
    days_later = time.time() + (unused.DAYS + 0.5) * DAY
    monkeypatch.setattr("time.time", lambda: days_later)
    assert unused.sweep() == [FREE]
    assert there() == {USED, HELD}
