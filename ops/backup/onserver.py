"""The scripts on the server, over SSH, with the operator's own terminal."""

from __future__ import annotations

import shlex
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.host.config import HostSettings
from ops.errors import OperatorError
from ops.server import NO_CONNECTION, Server, settings_of
from ops.target import Target

ANSWER_SECONDS = 30
FILE_SECONDS = 3600


@dataclass(frozen=True)
class Scripts:
    server: Server
    root: str

    def run(self, verb: str, arguments: Sequence[str]) -> int:
        """In the foreground: its questions and its answers are the operator's own."""
        script = f"{self.root}/infrastructure/scripts/{verb}.sh"
        self._look_for(script)
        code = subprocess.run(self.server.ssh(shlex.join(["sudo", "-n", script, *arguments])), check=False).returncode
        if code == NO_CONNECTION:
            raise OperatorError(
                f"The connection to {self.server.place} broke. What had begun there goes on: "
                f"{self.root}/logs/backup.log says how it ends."
            )
        return code

    def _look_for(self, script: str) -> None:
        if self.server.run(f"test -x {shlex.quote(script)}", "", ANSWER_SECONDS).returncode:
            raise OperatorError(f"There is no {script} on {self.server.place}: `./infra up` writes it.")

    @contextmanager
    def lent(self, path: Path, folder: str, name: str) -> Iterator[str]:
        """A file of this machine, on the server while the block runs, for root alone."""
        if not path.is_file():
            raise OperatorError(f"There is no file {path}.")
        there = f"{folder}/infra-{uuid.uuid4().hex[:12]}"
        target = shlex.quote(f"{there}/{name}")
        receive = f"sudo -n install -d -m 0700 {there} && sudo -n sh -c 'umask 077; cat >\"$1\"' sh {target}"
        try:
            with path.open("rb") as file:
                sent = subprocess.run(self.server.ssh(receive), stdin=file, check=False, timeout=FILE_SECONDS)
            if sent.returncode:
                raise OperatorError(f"{path} could not be sent to {self.server.place}.")
            yield f"{there}/{name}"
        finally:
            self.server.run(f"sudo -n rm -rf -- {there}", "", ANSWER_SECONDS)


def scripts_of(target: Target) -> Scripts:
    host = getattr(settings_of(target), "host", None)
    if not isinstance(host, HostSettings):
        raise OperatorError(f"{target.system} has no server of its own in this stack: set `host` for this verb.")
    return Scripts(Server(host), host.root)
