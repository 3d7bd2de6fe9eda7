"""A command whose words go to the terminal as they come, and are known afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import TextIO


def heard(argv: Sequence[str], terminal: TextIO) -> tuple[int, list[str]]:
    lines: list[str] = []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            terminal.write(f"          {line}")
            terminal.flush()
            lines.append(line.rstrip("\n"))
    return process.returncode, lines
