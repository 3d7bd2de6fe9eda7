"""Before a dump can be loaded: its roles, and an empty database like the one it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.backup.onhost.database import Server, literal, quoted
from components.backup.onhost.portrait import Portrait

NAME = r'("(?:[^"]|"")+"|[^\s;]+)'


def create_roles(server: Server, statements: Iterable[str]) -> None:
    """Those that are missing, without passwords; what exists already stays as it is."""
    there = set(server.ask("postgres", "SELECT rolname FROM pg_roles").splitlines())
    missing: set[str] = set()
    wanted: list[str] = []
    for statement in statements:
        made = re.match(rf"CREATE ROLE {NAME};", statement)
        if made and plain(made[1]) not in there:
            missing.add(plain(made[1]))
            wanted.append(statement)
    for statement in statements:
        about = re.match(rf"ALTER ROLE {NAME} ", statement) or re.match(rf"GRANT .+ TO {NAME}[ ;]", statement)
        if about and plain(about[1]) in missing:
            wanted.append(statement)
    if wanted:
        server.ask("postgres", "\n".join(wanted))


def plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def create_database(server: Server, name: str, like: Portrait) -> None:
    """From the dump's own CREATE DATABASE, so that encoding and collation are the same; then owner and grants."""
    made = re.sub(rf"^CREATE DATABASE {NAME}", lambda _: f"CREATE DATABASE {quoted(name)}", like.create)
    about = [
        re.sub(rf"\bDATABASE {NAME}", lambda _: f"DATABASE {quoted(name)}", statement, count=1)
        for statement in like.about
    ]
    server.ask("postgres", "\n".join([made, *about]))


def drop_database(server: Server, name: str) -> None:
    server.ask("postgres", f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


def size_of(server: Server, database: str) -> int:
    return int(server.ask("postgres", f"SELECT pg_database_size({literal(database)})"))
