"""Did you mean: the nearest name, where one is near enough to be worth saying."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A half sentence, or None."""
    cutoff = 0.6 if len(name) < 5 else 0.75
    best = get_close_matches(name.lower(), list(known), n=1, cutoff=cutoff)
    return f"did you mean {best[0]}?" if best and best[0] != name else None
