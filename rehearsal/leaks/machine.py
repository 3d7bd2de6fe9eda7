"""The search on a rehearsal machine: what `server.py` finds there, as leaks."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from rehearsal.leaks.forms import Leak, Search
from rehearsal.machine import Machine

SCRIPT = (Path(__file__).parent / "server.py").read_bytes()
LOADER = "import base64,sys;exec(compile(base64.b64decode(sys.stdin.readline()),'leaks','exec'))"
FOLDERS = ("/opt", "/etc", "/tmp", "/var", "/run", "/home", "/root", "/mnt", "/srv")  # noqa: S108


def command(*words: str) -> str:
    return f'sudo -n python3 -I -c "{LOADER}" {" ".join(words)}'


def look(machine: Machine, search: Search, what: str, *folders: str) -> list[Leak]:
    """`what` is files, engine or logs. Nothing looked at is a mistake of the search, and no good news."""
    needles = [[f"{name}\0{form}", base64.b64encode(text).decode()] for name, form, text in search.needles]
    told = f"{base64.b64encode(SCRIPT).decode()}\n{json.dumps(needles)}\n"
    *found, count = machine.ssh(command(what, *folders), stdin=told, timeout=300).stdout.splitlines()
    if not json.loads(count):
        raise AssertionError(f"The search of {what} looked at nothing.")
    hits = ((secret.partition("\0"), place) for secret, place in map(json.loads, found))
    return [Leak(name, form, place) for (name, _, form), place in hits]


@dataclass
class Sampled:
    """Command lines and environments that anybody on the machine could have read."""

    texts: list[bytes] = field(default_factory=list)

    def leaks(self, search: Search) -> list[Leak]:
        return [leak for text in self.texts for leak in search.find(text, f"process {text[:40]!r}")]


@contextmanager
def sampling(machine: Machine) -> Iterator[Sampled]:
    """While the block runs; what was seen is there afterwards."""
    sampled = Sampled()
    argv = machine.ssh_command(command("processes"))
    process = subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stdin, stdout = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
    stdin.write(f"{base64.b64encode(SCRIPT).decode()}\n")
    stdin.flush()
    if stdout.readline() != "looking\n":
        raise AssertionError("The search of processes did not begin.")
    try:
        yield sampled
    finally:
        said, _ = process.communicate()
        sampled.texts += [base64.b64decode(line) for line in said.splitlines()]
