"""What rotation needs on the server: the scripts that change who may log in."""

from __future__ import annotations

from pathlib import Path

from components.host.items import Item
from components.host.jobs import script

HERE = Path(__file__).resolve().parent.parent / "containers" / "onhost"
SCRIPTS = {"postgres-logins": "postgres_logins.py", "redis-logins": "redis_logins.py"}


def items(root: str) -> tuple[Item, ...]:
    folder = f"{root}/infrastructure/scripts"
    return tuple(
        script(f"{folder}/{name}", f"#!/usr/bin/env -S python3 -I\n{(HERE / file).read_text()}")
        for name, file in SCRIPTS.items()
    )
