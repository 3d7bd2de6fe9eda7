"""Images that no run has asked for in days go: every change to the stub application makes new ones of each release."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rehearsal.docker import DockerError, docker

DAYS = 3
LABELS = ("neurmatic.rehearsal.image", "neurmatic.rehearsal.machine-image")


def used(tag: str) -> None:
    """Noted where all checkouts of this user see it, as they share the engine."""
    mark = _mark(tag)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def sweep(days: float = DAYS) -> list[str]:
    """Remove what was neither made nor used since; the tags. What a container was made of stays."""
    oldest = time.time() - days * 24 * 3600
    unused = [tag for tag, made in _images() if max(made, _last_use(tag)) < oldest]
    return [tag for tag in unused if _removed(tag)]


def _images() -> Iterator[tuple[str, float]]:
    for label in LABELS:
        row = "{{.Repository}}:{{.Tag}}\t{{.CreatedAt}}"
        for line in docker("image", "ls", "--filter", f"label={label}", "--format", row).splitlines():
            tag, made = line.split("\t")
            yield tag, _moment(made)


def _moment(text: str) -> float:
    """The name of the time zone at its end says nothing that the offset before it does not."""
    try:
        return datetime.strptime(text.rpartition(" ")[0], "%Y-%m-%d %H:%M:%S %z").timestamp()
    except ValueError:  # an engine that tells it otherwise: then it is new for ever, and stays
        return math.inf


def _removed(tag: str) -> bool:
    try:
        docker("image", "rm", tag)
    except DockerError:  # of a container, or another run has just removed it
        return False
    with contextlib.suppress(FileNotFoundError):
        _mark(tag).unlink()
    return True


def _last_use(tag: str) -> float:
    try:
        return _mark(tag).stat().st_mtime
    except OSError:
        return 0.0


def _mark(tag: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    parent = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return parent / "neurmatic-infrastructure" / "images" / tag.replace("/", "_")
