"""Before a dump can be loaded: its roles, and an empty database like the one it came from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from components.backup.onhost.database import Server, literal, quoted
from components.backup.onhost.portrait import Portrait
from components.backup.onhost.problem import BackupError

OWNER = re.compile(r"ALTER DATABASE .* OWNER TO ")
NAME = r'("(?:[^"]|"")+"|[^\s;]+)'


def create_roles(server: Server, statements: Iterable[str]) -> None:
    """Those that are missing, without passwords; what exists already stays as it is."""
    there = roles_of(server)
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
        known = there | missing
        server.ask("postgres", "\n".join(without_strangers(statement, known) for statement in wanted))


def roles_of(server: Server) -> set[str]:
    return set(server.ask("postgres", "SELECT rolname FROM pg_roles").splitlines())


def without_strangers(statement: str, known: Collection[str]) -> str:
    """Who granted it is of no use where he is unknown."""
    by = re.search(rf" GRANTED BY {NAME};$", statement)
    return statement if by is None or plain(by[1]) in known else f"{statement[: by.start()]};"


def about_roles(statements: Iterable[str], names: Collection[str]) -> list[str]:
    """Of all statements, those about these roles and about nobody else."""

    def known(name: str) -> bool:
        return plain(name) in names or plain(name).startswith("pg_")

    def wanted(statement: str) -> bool:
        role = re.match(rf"(?:CREATE|ALTER) ROLE {NAME}[ ;]", statement)
        if role:
            return known(role[1])
        grant = re.match(rf"GRANT {NAME} TO {NAME}[ ;]", statement)
        return bool(grant and known(grant[1]) and known(grant[2]))

    return [statement for statement in statements if wanted(statement)]


def refuse_missing_roles(server: Server, statements: Iterable[str]) -> None:
    """Where the roles are somebody else's to make, as with a provider."""
    made = (re.match(rf"CREATE ROLE {NAME};", statement) for statement in statements)
    missing = sorted({plain(each[1]) for each in made if each} - roles_of(server))
    if missing:
        raise BackupError(
            f"There is no role {' or '.join(missing)} where the backup shall go: `./infra up` with that database makes "
            "them (docs/backups-neuropilot.md)."
        )


def plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def create_database(server: Server, name: str, like: Portrait, mine: bool = False) -> None:
    """From the dump's own CREATE DATABASE, so that encoding and collation are the same; then owner and grants.

    `mine`: it belongs to whoever restores it.
    """
    made = re.sub(rf"^CREATE DATABASE {NAME}", lambda _: f"CREATE DATABASE {quoted(name)}", like.create)
    about = [
        re.sub(rf"\bDATABASE {NAME}", lambda _: f"DATABASE {quoted(name)}", statement, count=1)
        for statement in like.about
        if not (mine and OWNER.match(statement))
    ]
    server.ask("postgres", "\n".join([made, *about]))


def drop_database(server: Server, name: str) -> None:
    server.ask("postgres", f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


def size_of(server: Server, database: str) -> int:
    return int(server.ask("postgres", f"SELECT pg_database_size({literal(database)})"))
