"""What outlives a restart: a JSON document written whole, and a journal of the calls that changed something.

A call is written before it is answered, so a SIGKILL loses nothing that a client was told. Surviving a power cut is
not promised: nothing waits for the disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal import RehearsalError

INLINE = 2048
"""Bodies up to this many bytes stand in the journal itself."""


class CorruptStateError(RehearsalError):
    """What stands in a file is not what was written there. The file is left as it is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}: {why}; it was left as it is. Restore it, or remove {path.parent} to begin with empty clouds."
        )


class Document:
    """One JSON object in one file; a reader sees the old one or the new one, never half of it."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self._kind = path, kind
        self.value: dict[str, Any] = self._read()

    def _read(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CorruptStateError(self.path, f"is not the {self._kind} that was written there ({error})") from None
        if not isinstance(found, dict) or found.get("kind") != self._kind or not isinstance(found.get("value"), dict):
            raise CorruptStateError(self.path, f"holds no {self._kind}")
        return dict(found["value"])

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.draft")
        # On one line: with an indent Python's slow encoder would write it.
        draft.write_text(json.dumps({"kind": self._kind, "value": self.value}), "utf-8")
        draft.replace(self.path)


class Journal:
    """One line for each change, oldest first. Large bodies are files of their own, named by their hash."""

    def __init__(self, path: Path) -> None:
        self.path, self.bodies = path, path.parent / "bodies"
        self.bodies.mkdir(parents=True, exist_ok=True)

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number of the line, and what it says. A last line without an end was never answered: it is dropped."""
        if not self.path.exists():
            return
        whole = self._without_torn_end()
        for number, line in enumerate(whole.splitlines(), 1):
            yield number, self._entry(number, line)

    def _without_torn_end(self) -> bytes:
        content = self.path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            os.truncate(self.path, end)
        return content[:end]

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
            return {**entry, "body": self._body(entry["body"])}
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise self.corrupt(number, f"cannot be read ({type(error).__name__}: {error})") from None

    def corrupt(self, number: int, why: str) -> CorruptStateError:
        return CorruptStateError(self.path, f"line {number} {why}")

    def _body(self, stored: dict[str, str]) -> bytes:
        if "inline" in stored:
            return base64.b64decode(stored["inline"], validate=True)
        content = (self.bodies / stored["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != stored["file"]:
            raise ValueError(f"the body in {self.bodies / stored['file']} is not the one that was written there")
        return content

    def append(self, entry: dict[str, Any]) -> None:
        line = json.dumps({**entry, "body": self._stored(entry["body"])}).encode() + b"\n"
        with self.path.open("ab", buffering=0) as file:
            file.write(line)

    def _stored(self, body: bytes) -> dict[str, str]:
        if len(body) <= INLINE:
            return {"inline": base64.b64encode(body).decode()}
        name = hashlib.sha256(body).hexdigest()
        if not (self.bodies / name).exists():
            draft = self.bodies / f".{name}.draft"
            draft.write_bytes(body)
            draft.replace(self.bodies / name)
        return {"file": name}
