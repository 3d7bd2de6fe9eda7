"""Which releases have served on this server: one JSON object in a line for each time that another one took over.

Read by `./infra rollback`, and by whatever cleans up images: {"at", "version", "backend", "frontend", "irreversible"}.
Images are given by digest. The file is only ever added to.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.containers.onhost.engine import run

FILE = "releases.jsonl"
LABEL = "neurmatic.migration.irreversible"
"""`true` on a backend image: releases before this one do not work with what its migrations leave behind."""

Release = Mapping[str, Any]


def note(root: Path, release: Release) -> None:
    """Once for each change of what serves: a second run for the same release adds nothing."""
    if not release or same(last(root), release):
        return
    entry = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **{key: release[key] for key in ("version", "backend", "frontend")},
        "irreversible": irreversible(release["backend"]),
    }
    with (root / FILE).open("a") as file:
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())


def same(one: Release, other: Release) -> bool:
    return all(one.get(key) == other.get(key) for key in ("version", "backend", "frontend"))


def last(root: Path) -> Release:
    entries = history(root)
    return entries[-1] if entries else {}


def history(root: Path) -> list[Release]:
    """A line that was cut off by a loss of power is no entry."""
    file = root / FILE
    found: list[Release] = []
    for line in file.read_text().splitlines() if file.exists() else []:
        try:
            found.append(dict(json.loads(line)))
        except ValueError:
            continue
    return found


def irreversible(image: str) -> bool:
    found = run("docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image, check=False).strip()
    labels = json.loads(found) if found else None
    return str((labels or {}).get(LABEL, "")).lower() == "true"
