"""What comes back from one exchange, or how it ended instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    version: str
    """Of the application: its header X-Version."""


class BrokenError(Exception):
    """No complete answer came. Before its first byte (`untouched`) a browser would ask again."""

    def __init__(self, kind: str, *, untouched: bool) -> None:
        super().__init__(kind)
        self.kind, self.untouched = kind, untouched
