"""Accounts, groups that give rights, and keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from components.host.converge.difference import Difference, compare
from components.host.converge.host import Host, Trouble, write
from components.host.items import AuthorizedKeys, Group, User

NO_LOGIN = ("/nologin", "/false", "/sync", "/halt", "/shutdown")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str
    password: str
    expires: str

    @property
    def may_log_in(self) -> bool:
        return not self.shell.endswith(NO_LOGIN) and self.expires in ("", "-1")

    @property
    def has_password(self) -> bool:
        return self.password not in ("", "*") and not self.password.startswith("!")


def accounts(host: Host) -> dict[str, Account]:
    shadow = {row.split(":")[0]: row.split(":") for row in host.text("/etc/shadow").splitlines() if ":" in row}
    found = {}
    for row in host.text("/etc/passwd").splitlines():
        name, _, uid, gid, _, home, shell = row.split(":")
        secret = shadow.get(name, ["", "*", "", "", "", "", "", ""])
        found[name] = Account(name, int(uid), int(gid), home, shell, secret[1], secret[7])
    return found


def members(host: Host) -> dict[str, tuple[str, ...]]:
    rows = [row.split(":") for row in host.text("/etc/group").splitlines() if ":" in row]
    return {row[0]: tuple(sorted(name for name in row[3].split(",") if name)) for row in rows}


def look_at_users(items: Sequence[User], host: Host) -> Iterable[Difference]:
    found = accounts(host) if items else {}
    for item in items:
        account = found.get(item.name)
        if account is None:
            yield Difference(item, "does not exist", fix=_make(item, host), before={"made": True})
            continue
        wrong = _wrong(item, account, host)
        if wrong:
            reason = ", ".join(sentence for sentence, _ in wrong)
            commands = [argv for _, argv in wrong]
            yield Difference(item, reason, fix=_all(commands, host), before={"made": False, "shell": account.shell})


def _make(item: User, host: Host) -> Callable[[], None]:
    argv = ("useradd", "--create-home", "--home-dir", item.home, "--shell", item.shell, "--user-group", item.name)
    return _all([argv], host)


def _wrong(item: User, account: Account, host: Host) -> list[tuple[str, tuple[str, ...]]]:
    wrong: list[tuple[str, tuple[str, ...]]] = []
    if account.shell != item.shell:
        wrong.append((f"has the shell {account.shell}", ("usermod", "--shell", item.shell, item.name)))
    if account.home != item.home:
        wrong.append((f"has the home {account.home}", ("usermod", "--home", item.home, item.name)))
    if account.expires not in ("", "-1"):
        wrong.append(("has expired", ("usermod", "--expiredate", "", item.name)))
    if account.has_password:
        wrong.append(("has a password", ("usermod", "--lock", item.name)))
    if not host.at(item.home).is_dir():
        make = ("install", "-d", "-m", "0755", "-o", item.name, "-g", str(account.gid), item.home)
        wrong.append(("has no home folder", make))
    return wrong


def _all(commands: Sequence[Sequence[str]], host: Host) -> Callable[[], None]:
    def fix() -> None:
        for argv in commands:
            host.do(argv)

    return fix


def look_at_groups(items: Sequence[Group], host: Host) -> Iterable[Difference]:
    found = members(host) if items else {}
    for item in items:
        now, desired = found.get(item.name), tuple(sorted(item.members))
        if now == desired:
            continue
        make = [("groupadd", "--system", item.name)] if now is None else []
        commands = [*make, ("gpasswd", "--members", ",".join(desired), item.name)]
        reason = "does not exist" if now is None else f"has the members {', '.join(now) or 'nobody'}"
        before = {"made": now is None, "members": list(now or ())}
        yield Difference(item, reason, compare(now or (), desired, item.key), _all(commands, host), before)


def look_at_keys(items: Sequence[AuthorizedKeys], host: Host) -> Iterable[Difference]:
    found = accounts(host) if items else {}
    for item in items:
        account = found.get(item.user)
        now = keys_of(host, account) if account else []
        desired = list(item.keys)
        if account and sorted(now) == sorted(desired) and _is_private(host, account):
            continue
        reason = "has other keys" if sorted(now) != sorted(desired) else "its key file can be written by others"
        yield Difference(item, reason, compare(now, desired, item.key), _give(item, host), {"keys": now})


def keys_of(host: Host, account: Account) -> list[str]:
    lines = host.text(f"{account.home}/.ssh/authorized_keys").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _is_private(host: Host, account: Account) -> bool:
    for path in (f"{account.home}/.ssh", f"{account.home}/.ssh/authorized_keys"):
        at = host.at(path)
        if at.is_symlink() or at.stat().st_uid != account.uid or at.stat().st_mode & 0o022:
            return False
    return True


def _give(item: AuthorizedKeys, host: Host) -> Callable[[], None]:
    def fix() -> None:
        account = accounts(host).get(item.user)
        if account is None:
            raise Trouble(f"there is no user {item.user}")
        write_keys(host, account, item.keys)

    return fix


def write_keys(host: Host, account: Account, keys: Sequence[str]) -> None:
    """The folder is the user's own: a link in its place would lead root anywhere."""
    folder = host.at(f"{account.home}/.ssh")
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    text = "".join(f"{key}\n" for key in keys)
    write(folder / "authorized_keys", text.encode(), 0o600, account.uid, account.gid)
