"""One database takes the name of another: both renames in one transaction, so that there is always one of that name."""

from __future__ import annotations

import subprocess
import time

from components.backup.onhost import process
from components.backup.onhost.database import Server, literal, quoted
from components.backup.onhost.problem import BackupError

TRIES = 5


def swap(server: Server, live: str, new: str, kept: str) -> None:
    """`live` becomes `kept`, `new` becomes `live`. Killed at any moment, it has happened or it has not."""
    renames = [f"ALTER DATABASE {quoted(new)} RENAME TO {quoted(live)};"]
    if live in server.databases():
        renames.insert(0, f"ALTER DATABASE {quoted(live)} RENAME TO {quoted(kept)};")
    for attempt in range(1, TRIES + 1):
        try:
            _rename(server, "\n".join(["BEGIN;", *renames, "COMMIT;"]), live, new)
            return
        except BackupError as error:
            if attempt == TRIES or "being accessed by other users" not in str(error):
                raise


def _rename(server: Server, statements: str, live: str, new: str) -> None:
    """The rename shuts the door and waits for those inside; they are shown out meanwhile, whoever they are."""
    argv = server.program("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres")
    leave = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608 (quoted)
        f"WHERE datname IN ({literal(live)}, {literal(new)}) AND pid <> pg_backend_pid()"
    )
    server.ask("postgres", leave)
    with process.running(argv, "The databases cannot change names", stdin=subprocess.PIPE) as renaming:
        process.sink(renaming).write(statements.encode())
        process.sink(renaming).close()
        while renaming.poll() is None:
            server.ask("postgres", leave)
            time.sleep(0.1)
