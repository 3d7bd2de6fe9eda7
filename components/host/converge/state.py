"""What the script remembers between runs, in a folder of root's own: what it owns, what was before, what is due."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from components.host.converge.host import Host, Trouble, write
from components.host.items import Item, to_data

FOLDER = "/var/lib/infra-host"
PROGRAM = "/usr/local/sbin/infra-converge"
LOCK = "/run/infra-host.lock"


@dataclass
class State:
    """`owned` maps an item's key to its data and to what was there before the script changed it for the first time."""

    host: Host
    owned: dict[str, dict[str, Any]] = field(default_factory=dict)
    due: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)
    """Strangers that were there when the server was taken over: not extra."""
    adopted: bool = False
    confirmed: str = ""
    rolled_back: str = ""

    @classmethod
    def load(cls, host: Host) -> State:
        text = host.text(f"{FOLDER}/state.json")
        if not text:
            return cls(host)
        try:
            return cls(host, **json.loads(text))
        except (ValueError, TypeError):
            raise Trouble(
                f"{FOLDER}/state.json cannot be read: move it away, and the next run takes stock anew"
            ) from None

    def save(self) -> None:
        names = ("owned", "due", "known", "adopted", "confirmed", "rolled_back")
        self.keep("state.json", json.dumps({name: getattr(self, name) for name in names}, indent=1))

    def keep(self, name: str, text: str) -> None:
        folder = self.host.at(FOLDER)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / name
        if not path.exists() or path.read_text() != text:
            write(path, text.encode())

    def own(self, item: Item, before: dict[str, Any]) -> None:
        """Written down before the change, so that a run that is killed has not forgotten what it began."""
        found = self.owned.setdefault(item.key, {"before": before})
        found["item"] = to_data(item)
        actions = [list(each) for each in getattr(item, "on_change", ())]
        if actions and not any(each["key"] == item.key for each in self.due):
            self.due.append({"key": item.key, "actions": actions})
        self.save()

    def done(self, keys: set[str]) -> None:
        left = [each for each in self.due if each["key"] not in keys]
        if left != self.due:
            self.due = left
            self.save()


@contextmanager
def alone(host: Host, seconds: float) -> Iterator[None]:
    """Two runs never interleave; the lock goes with the process that holds it."""
    path = host.at(LOCK)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(descriptor, seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Trouble(
                    f"another run is at work on this server and did not end within {seconds:.0f} s: wait for it"
                ) from None
            time.sleep(0.2)
        else:
            return
