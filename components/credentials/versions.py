"""How versions of one credential are told apart. Two are valid while one follows the other, never three."""

from __future__ import annotations

import re

PREVIOUS = "_previous"


def versioned(name: str, generation: int) -> str:
    """The first has no number: it was there before there were versions."""
    return name if generation == 1 else f"{name}-{generation}"


def generation_of(resource: str, name: str) -> int | None:
    """The version that a resource is of, if it is one of `name` at all."""
    found = re.fullmatch(rf"{re.escape(name)}(?:-([0-9]+))?", resource)
    return int(found.group(1) or 1) if found else None


def place(generation: int) -> str:
    """Where a server keeps it: two places take turns."""
    return "ab"[(generation - 1) % 2]


def login(owner: str, generation: int) -> str:
    """The PostgreSQL role that logs in; what it makes belongs to the owner."""
    return f"{owner}_{place(generation)}"
