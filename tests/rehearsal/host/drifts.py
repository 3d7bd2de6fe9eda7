"""What a person does to a server by hand, made from the items themselves: nothing here knows how the script looks.

Every item gets the drifts that its kind of thing can suffer, as one shell command each. The key is what the report has
to name.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.host.items import (
    AuthorizedKeys,
    Directory,
    File,
    Group,
    Item,
    Limits,
    Listeners,
    Live,
    Logins,
    Mode,
    Package,
    Sysctl,
    Unit,
    User,
)

STRANGERS_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA stranger@nowhere"


@dataclass(frozen=True)
class Drift:
    kind: str
    key: str
    """The report's item, or how it begins."""
    command: str
    """As root."""


def of(item: Item, owner: str) -> list[Drift]:
    maker: Callable[[Any, str], Iterable[tuple[str, str]]] | None = MAKERS.get(item.kind)
    return [Drift(item.kind, key, command) for key, command in maker(item, owner)] if maker else []


def _package(item: Package, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"DEBIAN_FRONTEND=noninteractive apt-get -q -y remove {item.name}"


def _user(item: User, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"usermod --shell /bin/sh {item.name}"
    yield item.key, f"usermod --password '$6$x$y' {item.name}"
    yield item.key, f"usermod --expiredate 1 {item.name}"


def _group(item: Group, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"gpasswd --add {owner} {item.name}"
    yield item.key, f"gpasswd --members '' {item.name}"


def _keys(item: AuthorizedKeys, owner: str) -> Iterable[tuple[str, str]]:
    path = f"/home/{item.user}/.ssh/authorized_keys"
    yield item.key, f"echo {shlex.quote(STRANGERS_KEY)} >> {path}"
    yield item.key, f"chmod 0666 {path}"
    yield item.key, f": > {path}"


def _directory(item: Directory, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"chmod 0777 {item.path}"
    yield item.key, f"chown games {item.path}"


def _file(item: File, owner: str) -> Iterable[tuple[str, str]]:
    path = item.path
    yield item.key, f"echo '# changed' >> {path}"
    yield item.key, f"chmod 0666 {path}"
    yield item.key, f"chown games {path}"
    yield item.key, f"rm {path}"
    yield item.key, f"rm {path} && ln -s /dev/null {path}"


def _mode(item: Mode, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"chmod 0777 {item.path}"


def _limits(item: Limits, owner: str) -> Iterable[tuple[str, str]]:
    yield item.key, f"echo '* hard nofile 4000' > {item.path}"
    yield item.key, f"rm {item.path}"


def _sysctl(item: Sysctl, owner: str) -> Iterable[tuple[str, str]]:
    if item.value in ("0", "1"):
        yield item.key, f"sysctl -q -w {item.name}={1 - int(item.value)}"
    else:
        other = {"net.ipv4.ip_local_port_range": "32768 60999", "net.ipv4.ip_local_reserved_ports": "99"}
        yield item.key, f"sysctl -q -w '{item.name}={other.get(item.name, '1024')}'"


def _unit(item: Unit, owner: str) -> Iterable[tuple[str, str]]:
    if item.enabled == "masked":
        yield item.key, f"systemctl unmask {item.name}"
    elif item.enabled == "enabled":
        # Without sshd nobody could look.
        if item.active and item.name != "ssh.service":
            yield item.key, f"systemctl stop {item.name}"
        yield item.key, f"systemctl disable {item.name}"


def _live(item: Live, owner: str) -> Iterable[tuple[str, str]]:
    by_name = {
        "timezone": ["ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime"],
        "firewall": [
            "iptables -I INPUT -p tcp --dport 8080 -j ACCEPT",
            "iptables -D ufw-user-input 2",
            "ip6tables -P INPUT ACCEPT",
            "nft flush table inet infra_containers",
        ],
        "sshd": ["sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config && systemctl reload ssh"],
    }
    for command in by_name[item.name]:
        yield item.key, command


def _logins(item: Logins, owner: str) -> Iterable[tuple[str, str]]:
    yield "account:intruder", "useradd --create-home --shell /bin/bash intruder"
    yield f"key:{owner}:", f"echo {shlex.quote(STRANGERS_KEY)} >> /home/{owner}/.ssh/authorized_keys"
    yield (
        "key:root:",
        f"install -d -m 0700 /root/.ssh && echo {shlex.quote(STRANGERS_KEY)} >> /root/.ssh/authorized_keys",
    )


def _listeners(item: Listeners, owner: str) -> Iterable[tuple[str, str]]:
    serve = "import socket,time;s=socket.create_server(('',4444));time.sleep(600)"
    yield "listener:4444/tcp", f'systemd-run --quiet --unit=stranger python3 -c "{serve}" && sleep 0.3'


MAKERS: dict[str, Callable[[Any, str], Iterable[tuple[str, str]]]] = {
    "package": _package,
    "user": _user,
    "group": _group,
    "keys": _keys,
    "directory": _directory,
    "file": _file,
    "mode": _mode,
    "limits": _limits,
    "sysctl": _sysctl,
    "unit": _unit,
    "live": _live,
    "logins": _logins,
    "listeners": _listeners,
}


def rounds(items: Sequence[Item], owner: str, seed: int, count: int) -> list[list[Drift]]:
    """Drifts that can be made side by side: one for each item in a round, another one in the next."""
    dice = random.Random(seed)  # noqa: S311 (no secret: the same drifts each time)
    of_item = {item.key: of(item, owner) for item in items}
    made: list[list[Drift]] = []
    for number in range(count):
        found = [each[(number + place) % len(each)] for place, each in enumerate(filter(None, of_item.values()))]
        dice.shuffle(found)
        made.append(found)
    return made
