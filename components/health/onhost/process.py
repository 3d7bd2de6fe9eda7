"""Programs with an end: what hangs is ended with all that it started, and that it hung is the answer."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

SECONDS = 4.0


class SilenceError(Exception):
    """It did not answer in time."""


def ask(argv: Sequence[str], stdin: str = "", seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """Its exit code is the caller's to judge; a program that is not there is an OSError."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise SilenceError(f"{argv[0]} did not answer within {seconds:g} s") from None
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1][:200] if lines else f"it ended with {done.returncode} and said nothing"
