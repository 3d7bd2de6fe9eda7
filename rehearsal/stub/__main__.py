"""`python3 -m rehearsal.stub [server | migrate]`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from rehearsal.stub import app, migrate
from rehearsal.stub.settings import SettingsError, read_settings


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.WARNING, format="backend: %(levelname)s %(message)s")
    if arguments == ["migrate"]:
        return migrate.main(os.environ)
    if arguments not in ([], ["server"]):
        print(f"backend: unknown command {' '.join(arguments)}: say server or migrate", file=sys.stderr)
        return 2
    return _serve()


def _serve() -> int:
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        print(f"backend: {error}", file=sys.stderr)
        return 1
    if settings.faults.crash_at_start:
        print("backend: crashes at start on demand", file=sys.stderr)
        return 1
    return asyncio.run(app.serve(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
