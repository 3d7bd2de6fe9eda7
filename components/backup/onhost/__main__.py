"""Called by backup.sh, restore.sh and database.sh, which say which of them it is and where the settings are."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from components.backup.onhost import backup, protection, restore
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import read

VERBS: dict[str, Any] = {"backup": backup, "restore": restore, "database": protection}


def stop(number: int, _frame: FrameType | None) -> None:
    """A job that is ended cleans up and says so."""
    raise BackupError(f"Ended by signal {signal.Signals(number).name}.")


def main(arguments: list[str]) -> int:
    verb = arguments[0]
    parser = argparse.ArgumentParser(prog=f"{verb}.sh", description=VERBS[verb].__doc__)
    parser.add_argument("--settings", type=Path, required=True, help=argparse.SUPPRESS)
    VERBS[verb].options(parser)
    given = parser.parse_args(arguments[1:])
    signal.signal(signal.SIGTERM, stop)
    # A laptop that goes to sleep must not end a restore in the middle.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.geteuid() != 0:
        print(f"{verb}.sh reads keys that only root can read: use sudo.", file=sys.stderr)
        return 1
    try:
        return int(VERBS[verb].run(read(given.settings), given))
    except BackupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
