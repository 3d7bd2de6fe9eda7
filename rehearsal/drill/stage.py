"""A stack with visitors, a ledger of what they were promised, a backup, and an envelope in the safe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.escrow import keep
from ops.escrow.envelope import new_identity
from ops.escrow.places import place
from ops.session import open_session
from ops.target import Target
from rehearsal import RehearsalError
from rehearsal.drill.bucket import reachable
from rehearsal.load import asking
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.stack import images_for, introduce
from rehearsal.whole import PACKAGES, WholeStack
from rehearsal.workspace import ROOT, WORKSPACES

VERSION = "1.4.2"
MEMORY_MB = 5000
ROWS = 100
SECONDS = 60.0
COMMAND_SECONDS = 1500


@dataclass
class Stage:
    whole: WholeStack
    safe: Path
    """A folder that outlives the disaster: the envelope and its key."""
    world: ExitStack
    promised: list[str] = field(default_factory=list)
    """Keys of rows that were acknowledged before the backup began."""
    later: list[str] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return Target("neurmatic", "production", self.whole.name)

    @property
    def envelope(self) -> Path:
        return self.safe / "production.tar.gz.age"

    @property
    def identity(self) -> Path:
        return self.safe / "escrow-key.txt"

    def sealed(self) -> None:
        private, public = new_identity()
        self.identity.write_text(f"{private}\n")
        keep.write(open_session(self.target), "drill", (public,), [place(str(self.envelope))])

    def backed_up(self) -> None:
        """While visitors write: what they were promised before it began has to be in it."""
        with asking(self.whole.target(), f"drill{time.monotonic_ns()}") as seen:
            wait_for(lambda: len(seen.written) >= ROWS, f"{ROWS} rows")
            before = list(seen.written)
            done = self.whole.infra("backup")
            if done.returncode:
                raise RehearsalError(f"There was no backup: {done.stderr[-500:]}")
            count = len(seen.written)
            wait_for(lambda: len(seen.written) >= count + ROWS // 4, "rows after the backup")
        self.promised, self.later = before, [key for key in seen.written if key not in set(before)]

    def infra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The documented command; it is shown as it works, beside what a drill has to say in the end."""
        return subprocess.run(
            [sys.executable, "-m", "ops", *words, *self.place()],
            cwd=ROOT,
            env=os.environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def place(self) -> Sequence[str]:
        return ("--stack", "production", "--rehearsal", "--name", self.whole.name)

    def kept(self) -> tuple[int, int]:
        """How many promised rows are there, and how many of those that came after the backup."""
        there = self.whole.ledger().keys()
        return len(there & set(self.promised)), len(there & set(self.later))

    def machine_lost(self) -> None:
        """The server, and with it the laptop: what is left are the clouds and the safe."""
        self.whole.machine.down()
        for path in (WORKSPACES / self.whole.name).iterdir():
            if path.name != "clouds":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def empty_machine(self) -> Machine:
        """With nothing on it: not even Docker."""
        machine = Machine.up(self.whole.name, Order(memory_mb=MEMORY_MB))
        introduce(machine, self.whole.images.registry)
        self.whole.machine = machine
        self.world.enter_context(reachable(self.whole.workspace, machine))
        return machine


@contextmanager
def staged(name: str, safe: Path) -> Iterator[Stage]:
    """From nothing, and gone afterwards."""
    take_down(name)
    machine = Machine.up(name, Order(memory_mb=MEMORY_MB, packages=PACKAGES))
    try:
        with images_for(machine) as images, ExitStack() as world:
            whole = WholeStack(machine, images, name)
            whole.forget()
            whole.release = whole.images.release(VERSION)
            done = whole.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs")
            if done.returncode:
                raise RehearsalError(f"The stack to be destroyed did not come up: {done.stdout[-1500:]}{done.stderr}")
            world.enter_context(reachable(whole.workspace, machine))
            yield Stage(whole, safe, world)
            whole.forget()
    finally:
        take_down(name)


def wait_for(happened: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + SECONDS
    while not happened():
        if time.monotonic() > ends:
            raise RehearsalError(f"There were not {what} within {SECONDS:.0f} s.")
        time.sleep(0.1)
