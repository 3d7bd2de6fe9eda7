"""What a server that has never been converged already runs: said first, taken over only when told to (host.adopt)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from components.host.converge.accounts import accounts
from components.host.converge.difference import Difference
from components.host.converge.host import Host, Trouble
from components.host.converge.strangers import listeners, program
from components.host.items import Desired, File, Logins
from components.host.report import EXTRA

WEB = ("80/tcp", "443/tcp")
DOCKERS = ("DOCKER", "docker0", "br-", "f2b-", "172.1", "-P INPUT ACCEPT", "-P FORWARD", "-P OUTPUT ACCEPT")


def found(desired: Desired, host: Host) -> Iterable[Difference]:
    """Each with what a take-over does to it."""
    for finder in (_web, _containers, _data, _rules, _people, _files):
        yield from finder(desired, host)


def _one(kind: str, name: str, reason: str, diff: str = "") -> Difference:
    return Difference(None, reason, diff, state=EXTRA, key=f"found:{kind}:{name}")


def _web(desired: Desired, host: Host) -> Iterable[Difference]:
    for port, inode in listeners(host).items():
        if port in WEB:
            name = program(host, inode)
            what = "stopped and masked" if name == "nginx" else "left alone, and stands in the way of the stack's nginx"
            yield _one("port", port, f"{name} holds it; a take-over: {what}")


def _containers(desired: Desired, host: Host) -> Iterable[Difference]:
    if not host.at("/var/run/docker.sock").exists():
        return
    shown = host.run(("docker", "ps", "--all", "--format", "{{json .}}"))
    for row in shown.stdout.splitlines():
        container = json.loads(row)
        if container["Names"].startswith(desired.prefix):
            reason = (
                f"runs {container['Image']}; a take-over: left running, in the way of the stack's own (docs/day-two.md)"
            )
            yield _one("container", container["Names"], reason)


def _data(desired: Desired, host: Host) -> Iterable[Difference]:
    at = host.at(desired.data)
    for folder in sorted(at.iterdir()) if at.is_dir() else ():
        yield _one("data", f"{desired.data}/{folder.name}", "is there already; a take-over: left as it is")


def _rules(desired: Desired, host: Host) -> Iterable[Difference]:
    try:
        rules = host.ask(("iptables", "-S")).splitlines()
    except Trouble:
        return
    foreign = [rule for rule in rules if not any(word in rule for word in DOCKERS)]
    if foreign:
        reason = f"{len(foreign)} rules that Docker did not make; a take-over: replaced by the stack's"
        yield _one("firewall", "iptables", reason, "\n".join(foreign[:100]))


def _people(desired: Desired, host: Host) -> Iterable[Difference]:
    named = {name for item in desired.items if isinstance(item, Logins) for name in item.accounts}
    for account in accounts(host).values():
        if account.may_log_in and account.uid >= 1000 and account.name not in named:
            yield _one("account", account.name, "can log in; a take-over: stays, but sshd lets only named users in")


def _files(desired: Desired, host: Host) -> Iterable[Difference]:
    """Only where somebody has written a file of this very name; the old one is kept and comes back when taken back."""
    for item in desired.items:
        if isinstance(item, File) and item.path == "/etc/docker/daemon.json" and host.at(item.path).exists():
            yield _one("file", item.path, "exists; a take-over: replaced, the old one is kept", host.text(item.path))
