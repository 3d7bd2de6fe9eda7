"""An SSH agent that holds one key for as long as the process that asked for it lives.

The program reaches its server through an agent, so that no key enters the state; so does its rehearsal.
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from rehearsal import RehearsalError

START_SECONDS = 60
# The agent ends with the command that it was started for: with this one, which waits for the process named $0.
WAIT = 'while kill -0 "$0" 2>/dev/null; do sleep 1; done; rm -rf "$1"'


@functools.cache
def serve(key: Path, pid: int) -> Path:
    """The socket of an agent with this key; it goes when the process with this id has gone."""
    folder = Path(tempfile.mkdtemp(prefix="ssh-"))  # short: a socket's path has 107 bytes
    path = folder / "agent"
    words = ["ssh-agent", "-a", str(path), "sh", "-c", WAIT, str(pid), str(folder)]
    try:
        agent = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise RehearsalError("The program 'ssh-agent' is missing: install the OpenSSH client.") from None
    _wait(path, agent)
    environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
    added = subprocess.run(
        ["ssh-add", "-q", str(key)], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if added.returncode:
        raise RehearsalError(f"{key} could not be given to the SSH agent: {added.stderr.decode().strip()}.")
    return path


def _wait(path: Path, agent: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        if agent.poll() is not None or time.monotonic() > deadline:
            raise RehearsalError("The SSH agent of this rehearsal did not start.")
        time.sleep(0.01)
