"""Items that the script has made and that no setting asks for any more: what was before comes back.

Nothing that may hold somebody's work is deleted: folders stay, users are locked and their keys set aside, their homes
stay, and a package stays when another one would go with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from components.host.converge import packages, running, units
from components.host.converge.accounts import accounts, write_keys
from components.host.converge.difference import Difference, at_once
from components.host.converge.files import put_back
from components.host.converge.host import Host, Trouble
from components.host.converge.state import State
from components.host.converge.strangers import lock
from components.host.items import (
    AuthorizedKeys,
    Desired,
    File,
    Group,
    Item,
    Limits,
    Mode,
    Package,
    Swap,
    Sysctl,
    Unit,
    User,
    from_data,
)

Undo = Callable[[Any, dict[str, Any], Host], None]


def look(desired: Desired, host: Host, state: State) -> Iterable[Difference]:
    """The last first: a unit before its file, a file before the package that reads it."""
    wanted = {item.key for item in desired.items}
    names = {item.name for item in desired.items if isinstance(item, Package)}
    remove = at_once(lambda going: _packages(going, host, names))
    for key, entry in reversed(list(state.owned.items())):
        if key not in wanted:
            item = from_data(entry["item"])
            undo = remove(item.name) if isinstance(item, Package) else _undo(item, entry["before"], host)
            yield Difference(item, "no setting asks for it any more", fix=_forget(item, undo, state))


def _forget(item: Item, undo: Callable[[], None], state: State) -> Callable[[], None]:
    def fix() -> None:
        undo()
        del state.owned[item.key]
        state.save()

    return fix


def _undo(item: Item, before: dict[str, Any], host: Host) -> Callable[[], None]:
    def fix() -> None:
        UNDO.get(item.kind, _nothing)(item, before, host)
        for argv in getattr(item, "on_change", ()):
            host.do(argv)

    return fix


def _nothing(item: Any, before: dict[str, Any], host: Host) -> None:
    """Folders and live states: left in place."""


def _packages(names: list[str], host: Host, wanted: set[str]) -> None:
    """Where another package would go with one, it stays, and belongs to nobody from now on."""
    found = packages.states(host)
    there = [name for name in names if found.get(name) == "installed"]
    if there and not packages.remove(host, there, wanted) and len(names) > 1:
        raise Trouble("one of them stays")


def _file(item: File | Limits, before: dict[str, Any], host: Host) -> None:
    put_back(host, item.path, before["file"])


def _mode(item: Mode, before: dict[str, Any], host: Host) -> None:
    at = host.at(item.path)
    if at.exists():
        os.chown(at, before["uid"], before["gid"])
        at.chmod(int(before["mode"], 8))


def _user(item: User, before: dict[str, Any], host: Host) -> None:
    account = accounts(host).get(item.name)
    if account and before["made"]:
        lock(account, host)


def _group(item: Group, before: dict[str, Any], host: Host) -> None:
    host.do(("gpasswd", "--members", ",".join(before["members"]), item.name))


def _keys(item: AuthorizedKeys, before: dict[str, Any], host: Host) -> None:
    account = accounts(host).get(item.user)
    if account:
        write_keys(host, account, before["keys"])


def _sysctl(item: Sysctl, before: dict[str, Any], host: Host) -> None:
    try:
        (host.at("/proc/sys") / item.name.replace(".", "/")).write_text(before["value"])
    except OSError as error:
        raise Trouble(f"the kernel refuses {before['value']}: {error.strerror}") from None


def _swap(item: Swap, before: dict[str, Any], host: Host) -> None:
    running.resize(host, item.path, before["megabytes"])


def _unit(item: Unit, before: dict[str, Any], host: Host) -> None:
    was = before["enabled"]
    if units.found_units([item.name], host)[item.name]["LoadState"] == "not-found":
        return
    if item.enabled == "masked" and was != "masked":
        host.do(("systemctl", "unmask", item.name))
    if was in ("enabled", "disabled") and was != item.enabled:
        host.do(("systemctl", "enable" if was == "enabled" else "disable", item.name))


UNDO: dict[str, Undo] = {
    "file": _file,
    "limits": _file,
    "mode": _mode,
    "user": _user,
    "group": _group,
    "keys": _keys,
    "sysctl": _sysctl,
    "swap": _swap,
    "unit": _unit,
}
