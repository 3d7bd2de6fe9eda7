"""What is known of one request; as a line of JSON between the client's process and whoever started it."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Record:
    kind: str
    due: float
    began: float
    ended: float
    outcome: str
    """Why it failed; nothing when it did not."""
    version: str
    key: str
    again: bool
    """It was sent once more, on a fresh connection."""
    on_idle: bool
    """The first try met a kept connection that the server was closing."""

    @property
    def seconds(self) -> float:
        return self.ended - self.due

    def line(self) -> str:
        return json.dumps(astuple(self), separators=(",", ":")) + "\n"


@dataclass(frozen=True)
class End:
    """The time in which requests were sent, and how many."""

    began: float
    ended: float
    sent: int

    def line(self) -> str:
        return json.dumps({"end": astuple(self)}) + "\n"


def read(line: str) -> Record | End:
    document = json.loads(line)
    return End(*document["end"]) if isinstance(document, dict) else Record(*document)
