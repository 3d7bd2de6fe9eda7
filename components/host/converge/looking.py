"""Which module looks at which kind of item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from components.host.converge import accounts, files, packages, running, strangers, units
from components.host.converge.difference import Difference
from components.host.converge.host import Host, Trouble
from components.host.converge.state import State
from components.host.items import AuthorizedKeys, Desired, Item, Listeners, Logins, Unit
from components.host.report import FAILED

LOOKS: dict[str, Any] = {
    "package": packages.look,
    "user": accounts.look_at_users,
    "group": accounts.look_at_groups,
    "keys": accounts.look_at_keys,
    "directory": files.look_at_directories,
    "file": files.look_at_files,
    "mode": files.look_at_modes,
    "limits": files.look_at_limits,
    "sysctl": running.look_at_sysctls,
    "swap": running.look_at_swap,
    "unit": units.look,
    "live": running.look_at_live,
}


def look(kind: str, items: Sequence[Item], host: Host) -> list[Difference]:
    """One item that cannot be looked at must not hide the others of its kind."""
    try:
        return list(LOOKS[kind](items, host))
    except (Trouble, OSError) as trouble:
        if len(items) == 1:
            return [Difference(items[0], str(trouble), state=FAILED)]
    return list(chain.from_iterable(look(kind, [item], host) for item in items))


def of_kind(items: Iterable[Item], kind: str, *, guarded: bool = False) -> list[Item]:
    return [item for item in items if item.kind == kind and getattr(item, "guarded", False) == guarded]


def masked(items: Iterable[Item]) -> list[Item]:
    """Before any package: a service that is not wanted must not start when its package comes."""
    return [item for item in items if isinstance(item, Unit) and item.enabled == "masked"]


def others(desired: Desired, host: Host, state: State) -> list[Difference]:
    managed = [item for item in desired.items if isinstance(item, AuthorizedKeys)]
    logins = [item for item in desired.items if isinstance(item, Logins)]
    ports = [item for item in desired.items if isinstance(item, Listeners)]
    return [
        *strangers.look_at_logins(logins, managed, host, state),
        *strangers.look_at_listeners(ports, host, state),
    ]


def known_now(desired: Desired, host: Host) -> dict[str, list[str]]:
    managed = [item for item in desired.items if isinstance(item, AuthorizedKeys)]
    logins = [item for item in desired.items if isinstance(item, Logins)]
    ports = [item for item in desired.items if isinstance(item, Listeners)]
    return strangers.everything_known(logins, managed, ports, host)
