"""Who is told what: the log, whoever looks on, and the operators."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import iso, now


class Report:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Nobody has to listen: a closed terminal ends no restore."""
        line = f"{iso(now())} {text}"
        self.lines.append(line)
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)
        with contextlib.suppress(OSError), Path(self.settings.log).open("a") as log:
            # Its folder's owner rotates it.
            owner = Path(self.settings.log).parent.stat()
            os.fchown(log.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(log.fileno(), 0o640)
            log.write(f"{line}\n")

    def tell(self, severity: str, subject: str) -> None:
        """By the notifications' own script; when that fails the log has it, and the exit code."""
        self.say(f"{severity}: {subject}")
        argv = [self.settings.notify, "--severity", severity, subject]
        try:
            done = subprocess.run(
                argv, input="\n".join(self.lines[-20:]), capture_output=True, text=True, check=False, timeout=120
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self.say(f"Nobody could be told: {error}")
            return
        if done.returncode:
            self.say(f"Nobody could be told: {done.stderr.strip()}")
