"""What the sinks have in common on their own side: announce the port, write records down."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

_writing = threading.Lock()


def announce(path: Path, port: int) -> None:
    """Whole or not at all: the reader looks for the file's name."""
    draft = path.with_suffix(".draft")
    draft.write_text(str(port))
    draft.replace(path)


def record(path: Path, entry: dict[str, Any]) -> None:
    line = json.dumps(entry) + "\n"
    with _writing, path.open("a") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
