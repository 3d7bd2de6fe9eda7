"""The empty server that a stack is brought up on: looked at before anything is touched, and marked while it is at work.

While the mark is there no backup job runs on it: what it holds before the restore is no backup of anything, and what a
drill holds never is.
"""

from __future__ import annotations

import ipaddress
import shlex
import socket
from dataclasses import dataclass

from components.host.config import HostSettings
from ops import hostkey
from ops.errors import OperatorError
from ops.server import Server

SECONDS = 60
MARK = "/var/lib/neurmatic-recovery"
BEGUN, RESTORED = "begun", "restored"
# Systemd reads the first for neurmatic-backup-watch.service and its like, the second for the daily job.
HELD = tuple(
    f"/etc/systemd/system/{unit}.service.d/recovery.conf" for unit in ("neurmatic-backup-", "neurmatic-backup")
)

LOOK = """
sudo -n true 2>/dev/null || {{ echo 'problem: its first user may not use sudo without a password'; exit 0; }}
if sudo -n test -f {mark}/phase; then sudo -n cat {mark}/phase; exit 0; fi
for each in {folders}; do
    [ -z "$(sudo -n ls -A "$each" 2>/dev/null | grep -vx 'lost+found')" ] || echo "problem: $each has content"
done
running=$(sudo -n docker ps --all --format '{{{{.Names}}}}' 2>/dev/null | tr '\\n' ' ')
[ -z "$running" ] || echo "problem: it has the containers $running"
"""


@dataclass(frozen=True)
class NewServer:
    address: str
    user: str
    host_key: str
    ipv4: str
    ipv6: str | None = None

    def settings(self, old: HostSettings) -> HostSettings:
        """Everything that was wanted of the one that is lost."""
        ssh = old.ssh.model_copy(update={"user": self.user, "host_key": self.host_key})
        update = {"address": self.address, "ssh": ssh, "ipv4": self.ipv4, "ipv6": self.ipv6}
        return old.model_copy(update=update)


def public_address(address: str, given: str | None) -> str:
    """Where DNS will lead: as given, or what the name of the server resolves to."""
    try:
        return str(ipaddress.IPv4Address(given or address))
    except ValueError:
        if given:
            raise OperatorError(f"--ipv4 {given} is no IPv4 address.") from None
    try:
        return socket.gethostbyname(address)
    except OSError:
        raise OperatorError(f"The name {address} does not resolve: give --server its address.") from None


def shown_key(address: str, port: int, given: str | None) -> str:
    """The key that the server shows; where one was given it has to be that one."""
    found = hostkey.scan(address, port)
    if given and found.split()[:2] != given.split()[:2]:
        raise OperatorError(
            f"{address} shows the host key {hostkey.fingerprint(found)}, and --host-key is another one: compare both "
            "with the provider's console."
        )
    return found


def refuse_living(old: str, new: str, port: int) -> None:
    """Two servers that both believe to be production would write into the same buckets."""
    if old == new:
        return
    try:
        socket.create_connection((old, port), timeout=5).close()
    except OSError:
        return
    raise OperatorError(
        f"The server that is to be replaced, {old}, still answers: switch it off first (or --old-server-is-off, if "
        "somebody else has that address by now). `./infra drill --server` tries an empty server beside it."
    )


def phase_of(server: Server, root: str, data: str) -> str:
    """Empty, or how far a recovery that was cut off has come; anything else is refused."""
    script = LOOK.format(mark=MARK, folders=shlex.join([root, data]))
    done = server.run(script, "", SECONDS)
    if done.returncode:
        raise OperatorError(f"{server.place} could not be looked at: {done.stderr.strip()[-200:]}")
    lines = done.stdout.splitlines()
    problems = [line.removeprefix("problem: ").strip() for line in lines if line.startswith("problem: ")]
    if problems:
        raise OperatorError(
            f"{server.place} is not an empty server ({'; '.join(problems)}): nothing was touched. Reinstall it, or "
            "name another one."
        )
    return lines[0].strip() if lines else ""


def mark(server: Server, phase: str) -> None:
    condition = f"[Unit]\\nConditionPathExists=!{MARK}\\n"
    lines = [f"mkdir -p {MARK}", f"echo {phase} >{MARK}/phase"]
    for path in HELD:
        lines += [f"mkdir -p {path.rpartition('/')[0]}", f"printf '{condition}' >{path}"]
    asked(server, "; ".join(["set -e", *lines, "systemctl daemon-reload"]), "could not be marked")


def unmark(server: Server) -> None:
    files = " ".join(HELD)
    folders = " ".join(path.rpartition("/")[0] for path in HELD)
    script = f"set -e; rm -f {files}; rmdir {folders}; systemctl daemon-reload; rm -rf {MARK}"
    asked(server, script, "still has the mark of its recovery")


def asked(server: Server, script: str, otherwise: str, seconds: float = SECONDS) -> str:
    """As root."""
    done = server.run(f"sudo -n sh -c {shlex.quote(script)}", "", seconds)
    if done.returncode:
        raise OperatorError(f"{server.place} {otherwise}: {done.stderr.strip()[-300:] or 'it said nothing'}")
    return done.stdout
