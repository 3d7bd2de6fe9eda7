"""PostgreSQL servers, spoken to by the clients of their own version: those of the server's image."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.backup.onhost import process
from components.backup.onhost.problem import BackupError

APPLICATION = "neurmatic-backup"
# The same text for the same value, wherever and by whomever it is read; and all rows, or an error.
SAME_TEXT = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; SET search_path = ''; SET statement_timeout = 0; SET lock_timeout = '5min'; "
    "SET idle_in_transaction_session_timeout = 0; SET row_security = off;"
)
END = "--end-of-answer--"


@dataclass(frozen=True)
class Server:
    container: str
    user: str

    def program(self, name: str, *arguments: str, options: str = "") -> list[str]:
        variables = ["--env", f"PGAPPNAME={APPLICATION}", *(["--env", f"PGOPTIONS={options}"] if options else [])]
        return ["docker", "exec", "--interactive", *variables, self.container, name, "-U", self.user, *arguments]

    def ask(self, database: str, sql: str) -> str:
        """Statements by standard input, each in a transaction of its own."""
        argv = self.program("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database)
        return process.run(argv, f"Database {database}", sql.encode()).decode().strip()

    def databases(self) -> list[str]:
        return self.ask("postgres", "SELECT datname FROM pg_database ORDER BY 1").split()

    def load(self, database: str, pieces: Iterable[bytes], options: str = "") -> None:
        argv = self.program("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", database, options=options)
        with process.running(argv, f"Loading into {database}", stdin=subprocess.PIPE) as loader:
            for piece in pieces:
                process.sink(loader).write(piece)

    @contextlib.contextmanager
    def session(self, database: str) -> Iterator[Session]:
        with tempfile.TemporaryFile() as errors:
            argv = self.program("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database)
            client = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
            )
            try:
                session = Session(client, database)
                session.ask(SAME_TEXT)
                yield session
            except SessionEndedError:
                client.wait()
                raise BackupError(f"Database {database}: {process.said(errors, client.returncode)}") from None
            finally:
                client.kill()
                client.communicate()


class SessionEndedError(Exception):
    pass


class Session:
    """One connection that stays open, and with it what it sees."""

    def __init__(self, client: subprocess.Popen[str], database: str) -> None:
        self._client, self.database = client, database

    def ask(self, sql: str) -> list[str]:
        try:
            process.sink(self._client).write(f"{sql};\n\\echo {END}\n")
            process.sink(self._client).flush()
        except BrokenPipeError:
            raise SessionEndedError from None
        lines: list[str] = []
        for line in process.source(self._client):
            if line.rstrip("\n") == END:
                return lines
            lines.append(line.rstrip("\n"))
        raise SessionEndedError

    def snapshot(self) -> str:
        """What this connection sees from here on; a dump that is given the name sees the same."""
        self.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return self.ask("SELECT pg_catalog.pg_export_snapshot()")[0]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
