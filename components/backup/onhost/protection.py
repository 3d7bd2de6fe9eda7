"""`database.sh`: the roles of a database elsewhere, and whether what protects its rows is in place."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from components.backup.onhost import clients, guards, roles, source
from components.backup.onhost.clients import Login
from components.backup.onhost.database import Server
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Address, Guarded, Settings
from components.backup.onhost.shelf import Shelf

ROLES, CHECK = "roles", "check"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=(ROLES, CHECK), help="make the roles (address and passwords on standard input)"
    )
    parser.add_argument(
        "--address", type=Path, metavar="FILE", help="the owner's postgresql:// address: then it is tried as well"
    )


def run(settings: Settings, given: argparse.Namespace) -> int:
    if settings.address is None or settings.guarded is None:
        raise BackupError("This server's own database has no such roles.")
    with Shelf.of(settings).locked():
        if given.action == ROLES:
            return make(settings, settings.address, settings.guarded)
        return check(settings, settings.address, settings.guarded, given.address)


def make(settings: Settings, address: Address, guarded: Guarded) -> int:
    try:
        told = json.load(sys.stdin)
        owner, passwords = str(told["address"]), {str(key): str(value) for key, value in told["passwords"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError("The address of the database's owner and the passwords belong on standard input.") from None
    login = _login(owner, settings, address)
    wanted = roles.Roles(guarded.migrator, guarded.app, address.user, guarded.log)
    with clients.logged_in(login, clients.owner_of(settings)) as (server, _):
        clients.same_major(server, login.database, address.image)
        roles.make(server, settings.database, wanted, passwords)
        print(f"{', '.join(wanted.all)}: as they should be in {settings.database}.")
        for said in guards.findings(server, settings.database, guarded):
            print(said)
    return 0


def check(settings: Settings, address: Address, guarded: Guarded, owner: Path | None) -> int:
    """What the catalog says; with the owner's address, what happens when somebody tries."""
    open_: list[str] = []
    if owner is None:
        with source.opened(settings) as (server, _):
            bad, empty = _looked(server, settings, guarded)
    else:
        login = _login(owner.read_text(), settings, address)
        with clients.logged_in(login, clients.owner_of(settings)) as (server, _):
            clients.same_major(server, login.database, address.image)
            bad, empty = _looked(server, settings, guarded)
            went_through, open_ = guards.tried(server, settings.database, guarded)
            bad += went_through
    for said in (*bad, *open_):
        print(said)
    if empty:
        print(f"{settings.database} has none of the core tables yet: the application's first migration makes them.")
    elif not bad:
        how = "by the catalog" if owner is None else "by the catalog, and tried as each role"
        print(f"{settings.database}: row level security and {guarded.log} are in order ({how}).")
    return 1 if bad else 0


def _looked(server: Server, settings: Settings, guarded: Guarded) -> tuple[list[str], bool]:
    with server.session(settings.database) as session:
        empty = not guards.tables_of(session, guarded)
    return guards.findings(server, settings.database, guarded), empty


def _login(text: str, settings: Settings, address: Address) -> Login:
    """Of the server that is dumped, and of no other."""
    login = clients.login(text, address)
    if login.address.host != address.host:
        raise BackupError(
            f"The owner's address leads to {login.address.host}, and {settings.database} is on {address.host}: compare "
            "the secret neon_owner_url with backup.database.host."
        )
    return login
