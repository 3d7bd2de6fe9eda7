"""What somebody else has put on the server: accounts, keys, listeners.

What was there when the server was taken over is known and stays. What comes later is extra: an account is locked and
a key set aside (nothing is deleted), a listener can only be reported, because only its owner knows how to end it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence

from components.host.converge.accounts import Account, accounts, keys_of, write_keys
from components.host.converge.difference import Difference
from components.host.converge.host import Host, Trouble
from components.host.converge.state import State
from components.host.items import AuthorizedKeys, Listeners, Logins
from components.host.report import EXTRA

ASKING = ("systemd-timesyn", "systemd-resolve", "systemd-network", "chronyd", "ntpd", "dhclient", "dhcpcd")
LISTENING, UNCONNECTED = "0A", "07"


def look_at_logins(
    items: Sequence[Logins], managed: Sequence[AuthorizedKeys], host: Host, state: State
) -> Iterable[Difference]:
    for item in items:
        found = accounts(host)
        for account in found.values():
            if _is_person(account) and account.name not in item.accounts and _new(state, "accounts", account.name):
                yield _extra("account", account.name, "can log in, and no setting names it", _lock(account, host))
        yield from _keys(item, {each.user for each in managed}, host, state)


def _keys(item: Logins, managed: set[str], host: Host, state: State) -> Iterable[Difference]:
    for account in accounts(host).values():
        if account.name in managed:
            continue
        for key in keys_of(host, account):
            if _new(state, "keys", fingerprint(account.name, key)):
                reason = f"a key that no setting names may log in as {account.name}: {_comment(key)}"
                name = f"{account.name}:{fingerprint(account.name, key)[:12]}"
                yield _extra("key", name, reason, _set_aside(account, key, host, state))


def _extra(kind: str, name: str, reason: str, fix: Callable[[], None] | None) -> Difference:
    return Difference(None, reason, f"+ {name}", fix, state=EXTRA, key=f"{kind}:{name}")


def _is_person(account: Account) -> bool:
    return account.may_log_in and (account.uid >= 1000 or account.uid == 0) and account.name != "root"


def _new(state: State, kind: str, name: str) -> bool:
    return name not in state.known.get(kind, [])


def fingerprint(user: str, key: str) -> str:
    return hashlib.sha256(f"{user} {key}".encode()).hexdigest()


def _comment(key: str) -> str:
    words = key.split()
    return words[-1] if len(words) > 2 else "without a comment"


def lock(account: Account, host: Host) -> None:
    """No password, no key, no shell of cron's either: an expired account. Its files stay."""
    host.do(("usermod", "--lock", "--expiredate", "1", account.name))


def _lock(account: Account, host: Host) -> Callable[[], None]:
    return lambda: lock(account, host)


def _set_aside(account: Account, key: str, host: Host, state: State) -> Callable[[], None]:
    def fix() -> None:
        note = {"time": int(time.time()), "user": account.name, "key": key}
        state.keep(f"key-{fingerprint(account.name, key)[:12]}.json", json.dumps(note))
        write_keys(host, account, [each for each in keys_of(host, account) if each != key])

    return fix


def look_at_listeners(items: Sequence[Listeners], host: Host, state: State) -> Iterable[Difference]:
    for item in items:
        for port, inode in sorted(listeners(host).items()):
            if port not in item.allowed and _new(state, "listeners", port):
                reason = f"{program(host, inode)} listens for the network, and no setting names the port"
                yield _extra("listener", port, reason, _only_its_owner(port))


def _only_its_owner(port: str) -> Callable[[], None]:
    def fix() -> None:
        raise Trouble(f"nothing ends it by itself: stop what listens on {port} (the firewall keeps others out)")

    return fix


def listeners(host: Host) -> dict[str, str]:
    """Ports that others can reach, with the socket's inode."""
    found: dict[str, str] = {}
    for protocol, state in (("tcp", LISTENING), ("tcp6", LISTENING), ("udp", UNCONNECTED), ("udp6", UNCONNECTED)):
        for row in host.text(f"/proc/net/{protocol}").splitlines()[1:]:
            words = row.split()
            address, _, port = words[1].partition(":")
            if words[3] == state and not _is_loopback(address):
                found.setdefault(f"{int(port, 16)}/{protocol[:3]}", words[9])
    return {port: inode for port, inode in found.items() if not _only_asks(host, port, inode)}


def _only_asks(host: Host, port: str, inode: str) -> bool:
    """Who asks for time, names or an address by UDP has a port of its own for the answer, another one each time."""
    number, _, protocol = port.partition("/")
    return protocol == "udp" and int(number) >= 1024 and program(host, inode).startswith(ASKING)


def _is_loopback(address: str) -> bool:
    """As the kernel prints it: four bytes at a time, the last first."""
    if len(address) == 8:
        return address.endswith("7F")
    return address == "00000000000000000000000001000000" or (
        address.startswith("0000000000000000FFFF0000") and address.endswith("7F")
    )


def program(host: Host, inode: str) -> str:
    for process in host.at("/proc").glob("[0-9]*"):
        try:
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor) == f"socket:[{inode}]":
                    return (process / "comm").read_text().strip()
        except OSError:
            continue
    return "something"


def everything_known(
    logins: Sequence[Logins], managed: Sequence[AuthorizedKeys], ports: Sequence[Listeners], host: Host
) -> dict[str, list[str]]:
    """What is there now, by the names under which it would be extra."""
    people = [account for account in accounts(host).values() if _is_person(account)]
    ours = {each.user for each in managed}
    keys = [
        fingerprint(account.name, key)
        for account in accounts(host).values()
        if account.name not in ours
        for key in keys_of(host, account)
    ]
    named = {name for item in logins for name in item.accounts}
    allowed = {port for item in ports for port in item.allowed}
    return {
        "accounts": sorted({account.name for account in people} - named),
        "keys": sorted(keys),
        "listeners": sorted(set(listeners(host)) - allowed),
    }
