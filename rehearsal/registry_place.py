"""Where the registry of a rehearsal is, for whoever asks it by its real name from this machine."""

from __future__ import annotations

import json

from rehearsal.machine import store

FILE = "registry.json"


def write_place(machine: str, address: str, authority: str) -> None:
    (store.folder(machine) / FILE).write_text(json.dumps({"address": address, "authority": authority}))


def registry_of(rehearsal: str) -> tuple[str, str] | None:
    """Its address and the certificate to trust; None while there is none, and the name leads to the real one."""
    file = store.folder("main" if rehearsal == "default" else rehearsal) / FILE
    if not file.is_file():
        return None
    found = json.loads(file.read_text())
    return found["address"], found["authority"]
