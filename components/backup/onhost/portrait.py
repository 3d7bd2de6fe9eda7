"""What is in a database, small enough to compare: rows and a checksum of each table, sequences, the schema."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.backup.onhost import process
from components.backup.onhost.database import Server, Session
from components.backup.onhost.problem import BackupError

# What belongs to an extension comes with it, and is not in a dump.
TABLES = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1"""
SEQUENCES = """
SELECT pg_catalog.format('%I.%I', schemaname, sequencename), pg_catalog.sign(increment_by), last_value
FROM pg_catalog.pg_sequences WHERE NOT cycle AND last_value IS NOT NULL ORDER BY 1"""
# The sum does not depend on the order of the rows, which a restore does not keep.
ROWS = (
    "SELECT pg_catalog.count(*), coalesce(pg_catalog.sum("
    'pg_catalog.hashtextextended({row}::pg_catalog.text COLLATE "C", 0)::pg_catalog.numeric), 0) FROM {table}'
)
LARGE = ROWS.format(row="(loid, pageno, data)", table="pg_catalog.pg_largeobject")
MAY_READ_LARGE = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')"
# Of the whole database rather than of something in it: a restored one has another name while it is compared.
ABOUT_DATABASE = re.compile(r"^(ALTER DATABASE |(GRANT|REVOKE) .* ON DATABASE |COMMENT ON DATABASE )")
NOISE = re.compile(r"^(--|\\(connect|restrict|unrestrict)\b|$)")


@dataclass(frozen=True)
class Portrait:
    tables: Mapping[str, list[int]]
    """Name -> rows, checksum."""
    sequences: Mapping[str, list[int]]
    """Name -> direction, last value. A sequence is not part of a snapshot: it may have gone on."""
    schema: str
    create: str
    """The statement that makes such a database: encoding and collation."""
    about: list[str]
    """Its owner, settings and grants, which a dump does not carry."""

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())

    def data(self) -> dict[str, Any]:
        return asdict(self)


def of(
    server: Server, session: Session, snapshot: str = "", sequences: Mapping[str, list[int]] | None = None
) -> Portrait:
    """`sequences`: as they were before, where a dump of the same database is at work: it reads them at its own time."""
    create, about, schema = _schema(server, session.database, snapshot)
    tables = {
        name: _numbers(session, ROWS.format(row='"_row_"', table=f'ONLY {name} AS "_row_"'))
        for name in session.ask(TABLES)
    }
    if session.ask(MAY_READ_LARGE) == ["t"] and (large := _numbers(session, LARGE))[0]:
        tables["(large objects)"] = large
    return Portrait(tables, sequences_of(session) if sequences is None else sequences, schema, create, about)


def _numbers(session: Session, sql: str) -> list[int]:
    return [int(part) for part in session.ask(sql)[0].split("|")]


def sequences_of(session: Session) -> dict[str, list[int]]:
    rows = [line.split("|") for line in session.ask(SEQUENCES)]
    return {name: [int(float(direction)), int(value)] for name, direction, value in rows}


def _schema(server: Server, database: str, snapshot: str) -> tuple[str, list[str], str]:
    seen = [f"--snapshot={snapshot}"] if snapshot else []
    argv = server.program("pg_dump", "--schema-only", "--create", "--no-tablespaces", *seen, "-d", database)
    text = process.run(argv, f"The schema of {database}").decode()
    lines = [line for line in text.splitlines() if not NOISE.match(line)]
    create = next((line for line in lines if line.startswith("CREATE DATABASE ")), "")
    if not create:
        raise BackupError(f"pg_dump gives no CREATE DATABASE for {database}: is its version known to these scripts?")
    about = [line for line in lines if ABOUT_DATABASE.match(line)]
    rest = [line for line in lines if line != create and line not in about]
    return create, about, hashlib.sha256("\n".join(rest).encode()).hexdigest()


OTHER_CONTENT = "has other content"
OTHER_SCHEMA = "the schema is another one"


def differences(wanted: Portrait, found: Portrait) -> list[str]:
    """Why the second is not what the first was taken from; empty if it is."""
    reasons = [f"{name} is missing" for name in wanted.tables if name not in found.tables]
    reasons += [f"{name} was not there" for name in found.tables if name not in wanted.tables]
    for name, (rows, checksum) in wanted.tables.items():
        if name in found.tables and found.tables[name] != [rows, checksum]:
            here = found.tables[name][0]
            reasons.append(f"{name} has {here} rows instead of {rows}" if here != rows else f"{name} {OTHER_CONTENT}")
    for name, (direction, value) in wanted.sequences.items():
        if name not in found.sequences or (found.sequences[name][1] - value) * direction < 0:
            reasons.append(f"the sequence {name} is behind {value}")
    if wanted.schema != found.schema:
        reasons.append(OTHER_SCHEMA)
    return reasons
