"""nginx's workers: how they change over, and when nobody talks any more to what shall be taken away."""

import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from components.containers.onhost.engine import within

RELOAD_SECONDS = 30
CONNECTED = ("01", "02")
"""Established, and about to be: as the kernel writes it."""


def reload(master: int) -> bool:
    """Returns when workers with the new configuration are there; those before finish what they have begun."""
    old = workers(master)
    return signalled(master, signal.SIGHUP) and within(RELOAD_SECONDS, lambda: workers(master) - old)


def drain(master: int, old: set[int], seconds: int, addresses: frozenset[str] = frozenset()) -> None:
    """Returns when the workers `old` have gone and nobody is connected to `addresses`: only then may they go, too."""
    # nginx cuts them off after `seconds`; whoever is still there does not listen to that.
    for wait, how in ((seconds + RELOAD_SECONDS, signal.SIGTERM), (RELOAD_SECONDS, signal.SIGKILL)):
        if within(wait, lambda: not workers(master) & old):
            break
        for pid in workers(master) & old:
            print(f"nginx's worker {pid} did not end within {wait} s: it gets {how.name}.", file=sys.stderr)
            signalled(pid, how)
    within(seconds, lambda: not connected(master) & addresses)


def signalled(pid: int, how: signal.Signals) -> bool:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def workers(master: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" (")
            parent = rest.rpartition(") ")[2].split()[1]
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == master and b"worker process" in command:
            found.add(int(pid))
    return found


def connected(master: int) -> frozenset[str]:
    """Whom anybody in nginx's network namespace is connected to."""
    return frozenset(address for table in ("tcp", "tcp6") for address in _remotes(f"/proc/{master}/net/{table}"))


def _remotes(table: str) -> Iterator[str]:
    try:
        lines = Path(table).read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        _, _, remote, state, *_ = line.split()
        if state in CONNECTED:
            yield _address(remote.partition(":")[0])


def _address(written: str) -> str:
    """The kernel writes words of four bytes, each in the machine's own order."""
    words = [int(written[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(written), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return str(getattr(address, "ipv4_mapped", None) or address)
