"""Data corruption: rows that somebody has deleted or changed by mistake come back out of a backup beside the database.

Everything is copied in one transaction: all of it is there, or nothing has happened.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from neurmatic.settings import NeurmaticSettings
from ops.backup.onserver import Scripts
from ops.deploy.change import place_of
from ops.drill.newserver import asked
from ops.drill.seen import psql
from ops.drill.server import restore
from ops.drill.steps import Steps
from ops.errors import OperatorError
from ops.server import Server
from ops.target import Target

TABLE = re.compile(r"(?:(?P<schema>[A-Za-z_][A-Za-z0-9_]*)\.)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
SECONDS = 3600
# The columns that can be written, and those that make a row the same row.
COLUMNS = """
SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
KEY = """
SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_index
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indrelid = '{table}'::regclass AND indisprimary
"""


@dataclass(frozen=True)
class Wanted:
    tables: tuple[str, ...]
    where: str | None = None
    overwrite: bool = False
    backup: str | None = None
    backup_identity: Path | None = None


@dataclass(frozen=True)
class Table:
    name: str
    """Quoted, with its schema."""
    columns: str
    key: str
    beside: str
    """The table that holds the backup's rows while they are compared."""

    @property
    def same(self) -> str:
        return " AND ".join(f"l.{each} = b.{each}" for each in self.key.split(","))


def quoted(given: str) -> str:
    match = TABLE.fullmatch(given)
    if match is None:
        raise OperatorError(f"{given} is no name of a table: TABLE or SCHEMA.TABLE, without quotes.")
    return f'"{match["schema"] or "public"}"."{match["name"]}"'


def recover(target: Target, wanted: Wanted, steps: Steps, ask: Callable[[str], bool]) -> None:
    settings = place_of(target).settings
    names = [quoted(each) for each in wanted.tables]
    work = Copy(settings, f"beside_{datetime.now(timezone.utc):%Y%m%d_%H%M%S}")
    tables = [work.table(name, number) for number, name in enumerate(names)]
    with steps.step("a backup beside the live database") as step:
        step.said = work.put_beside(wanted)
    try:
        with steps.step("compared"):
            counts = work.compared(tables, wanted)
            steps.facts.update({f"{name} before": said(*numbers) for name, numbers in counts.items()})
        if not any(missing or (changed and wanted.overwrite) for missing, changed in counts.values()):
            raise OperatorError(f"Nothing to bring back: {listed(counts)}.")
        if not ask(f"{listed(counts)}. Copy{' and overwrite' if wanted.overwrite else ''}?"):
            raise OperatorError("Nothing was changed.")
        with steps.step("copied back, in one transaction") as step:
            work.copy(tables, wanted)
            after = work.compared(tables, wanted)
            step.said = listed(after)
            steps.facts.update({f"{name} now": said(*numbers) for name, numbers in after.items()})
    finally:
        work.tidy()


def listed(counts: dict[str, tuple[int, int]]) -> str:
    return "; ".join(f"{name}: {said(*numbers)}" for name, numbers in counts.items())


def said(missing: int, changed: int) -> str:
    return f"{missing} rows of the backup are missing, {changed} are there and differ"


@dataclass(frozen=True)
class Copy:
    settings: NeurmaticSettings
    database: str
    """The name under which the backup stands beside the live one."""

    @property
    def server(self) -> Server:
        return Server(self.settings.host)

    @property
    def live(self) -> str:
        return self.settings.containers.postgres.database

    def table(self, name: str, number: int) -> Table:
        """From the live database: what the backup has besides is not asked for."""
        try:
            columns = psql(self.server, self.settings, self.live, COLUMNS.format(table=name))
            key = psql(self.server, self.settings, self.live, KEY.format(table=name))
        except OperatorError as error:
            if "does not exist" in str(error):
                raise OperatorError(f"There is no table {name} in {self.live}.") from None
            raise
        if not key:
            raise OperatorError(f"{name} has no primary key: nothing says which of its rows are the same.")
        return Table(name, columns, key, f"infra_beside_{number}")

    def put_beside(self, wanted: Wanted) -> str:
        scripts = Scripts(self.server, self.settings.host.root)
        return restore(scripts, wanted.backup or "latest", wanted.backup_identity, "--into", self.database)

    def compared(self, tables: Iterable[Table], wanted: Wanted) -> dict[str, tuple[int, int]]:
        """How many rows are missing, and how many differ."""
        found = {}
        for table in tables:
            out = self._with_rows([table], wanted, [count_of(table), "ROLLBACK;"])
            missing, changed = out.split()[-1].split("|")
            found[table.name] = (int(missing), int(changed))
        return found

    def copy(self, tables: Iterable[Table], wanted: Wanted) -> None:
        some = list(tables)
        self._with_rows(some, wanted, [*(insert_of(each, wanted.overwrite) for each in some), "COMMIT;"])

    def _with_rows(self, tables: list[Table], wanted: Wanted, then: list[str]) -> str:
        """The rows go through files: a copy that breaks off in the middle must not look like its end."""
        container = f"neurmatic-postgres-{self.settings.environment.value}"
        client = ["docker", "exec", "-i", container, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d"]
        lines = [
            "set -eu",
            "place=$(mktemp -d)",
            "trap 'rm -rf \"$place\"' EXIT",
            "all=$place/all",
            "echo 'BEGIN;' >$all",
        ]
        for table in tables:
            head = f"CREATE TEMPORARY TABLE {table.beside} (LIKE {table.name}) ON COMMIT DROP; "
            head += f"COPY {table.beside} ({table.columns}) FROM STDIN;"
            lines += [
                f"{shlex.join([*client, self.database, '-c', rows_of(table, wanted.where)])} >$place/rows",
                f"printf '%s\\n' {shlex.quote(head)} >>$all",
                "cat $place/rows >>$all; printf '%s\\n' '\\.' >>$all",
            ]
        lines += [f"printf '%s\\n' {shlex.quote(' '.join(each.split()))} >>$all" for each in then]
        lines.append(f"{shlex.join([*client, self.live])} <$all")
        return asked(self.server, "\n".join(lines), f"did not copy rows into {self.live}; nothing was changed", SECONDS)

    def tidy(self) -> None:
        drop = f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)'
        psql(self.server, self.settings, "postgres", drop)


def rows_of(table: Table, where: str | None) -> str:
    condition = f" WHERE {where}" if where else ""
    return f"COPY (SELECT {table.columns} FROM {table.name}{condition}) TO STDOUT"  # noqa: S608 (the operator's own SQL)


def count_of(table: Table) -> str:
    first = table.key.split(",")[0]
    live, beside = (", ".join(f"{side}.{each}" for each in table.columns.split(",")) for side in "lb")
    return (
        f"SELECT count(*) FILTER (WHERE l.{first} IS NULL), "  # noqa: S608 (names are quoted)
        f"count(*) FILTER (WHERE l.{first} IS NOT NULL AND ROW({live})::text <> ROW({beside})::text) "
        f"FROM {table.beside} b LEFT JOIN {table.name} l ON {table.same};"
    )


def insert_of(table: Table, overwrite: bool) -> str:
    others = [each for each in table.columns.split(",") if each not in table.key.split(",")]
    taken = ", ".join(f"{each} = EXCLUDED.{each}" for each in others)
    otherwise = f"DO UPDATE SET {taken}" if overwrite and others else "DO NOTHING"
    return (
        f"INSERT INTO {table.name} ({table.columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 (as above)
        f"SELECT {table.columns} FROM {table.beside} ON CONFLICT ({table.key}) {otherwise};"
    )
