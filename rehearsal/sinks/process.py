"""A server as a process of its own: started at a place, ready when it says so, ended by its pid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from rehearsal import RehearsalError
from rehearsal.sinks.place import Place

START_SECONDS = 90.0
STOP_SECONDS = 5.0
TICK = 0.05


class Server(AbstractContextManager["Server"]):
    """One running program. Its output goes to `log`, so that a full pipe never stops it."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.log, self._process = name, log, process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                self.stop()
                last = self.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
                raise RehearsalError(f"{self.name} did not start: {last[0]} (log: {self.log}).")
            time.sleep(TICK)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what does not listen."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def launch(
    name: str, command: Sequence[str], place: Place, folder: Path, environment: Mapping[str, str] | None = None
) -> Server:
    """Start a program at a place; `folder` gets its log. It ends with whoever started it, also after a SIGKILL."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*place.prefix, *_ending_with_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    return Server(name, process, log)


def _ending_with_us() -> tuple[str, ...]:
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def launch_module(module: str, place: Place, folder: Path, *arguments: str) -> tuple[Server, int]:
    """Start one of this package's servers; the port that the system gave it."""
    announcement = folder / f"{module}.port"
    announcement.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"rehearsal.sinks.{module}", place.address, str(announcement), *arguments]
    server = launch(module, command, place, folder)
    server.wait_until(announcement.exists)
    return server, int(announcement.read_text())


def records(path: Path) -> list[dict[str, Any]]:
    """What a sink has written down so far, oldest first; a line that is being written does not count yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
