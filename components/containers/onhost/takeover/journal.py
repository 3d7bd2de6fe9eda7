"""What a take-over has noted before it touches anything: whoever comes after an interruption goes on from here."""

import json
import os
from pathlib import Path
from typing import Any

Journal = dict[str, Any]
FOLDER = Path("/var/lib/neurmatic-takeover")
# In this order, and back again.
NOTHING, TAKING, TAKEN, DONE, BACK = "nothing", "taking", "taken", "done", "leading back"


class Book:
    """One file, root's alone: it has the verifiers of passwords in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.path = folder / "journal.json"

    def read(self) -> Journal:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {"phase": NOTHING}

    def write(self, journal: Journal) -> None:
        """A reader sees what was before, or all of what is now, also after the power has gone."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.path.with_suffix(".new")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(journal, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)

    def close(self, stamp: str) -> None:
        """Kept for whoever wants to know what was."""
        self.path.replace(self.path.with_name(f"journal-{stamp}.json"))
