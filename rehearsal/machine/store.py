"""What is known about a machine, kept in files beside its keys so that any later command finds it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError

MACHINES = TOOLCHAIN / "rehearsal" / "machines"
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Record:
    """Where a machine is and how to get in."""

    name: str
    release: str
    container: str
    address: str
    port: int
    user: str


def folder(name: str) -> Path:
    return MACHINES / name


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise RehearsalError(
            f"'{name}' cannot name a machine: take lower-case letters, digits and dashes, "
            "a letter first, at most 31 in all."
        )
    return name


def save(record: Record) -> None:
    path = folder(record.name)
    (path / "machine.json").write_text(json.dumps(asdict(record), indent=2) + "\n")
    (path / "known_hosts").write_text(_known_hosts(record))
    (path / "ssh_config").write_text(_ssh_config(record))


def load(name: str) -> Record | None:
    """The record of a machine, or None where there is none or a crash left it half written."""
    try:
        return Record(**json.loads((folder(name) / "machine.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def names() -> list[str]:
    return sorted(path.name for path in MACHINES.iterdir()) if MACHINES.is_dir() else []


def forget(name: str) -> None:
    shutil.rmtree(folder(name), ignore_errors=True)


def make_keys(name: str) -> None:
    """A key for the user and one for the host: known before the machine boots, so nothing is trusted on first use."""
    path = folder(name)
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    for key in ("user_key", "host_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"rehearsal {name}", "-f", str(path / key)]
        try:
            subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise RehearsalError("The program 'ssh-keygen' is missing: install the OpenSSH client.") from None


def host_public_key(name: str) -> str:
    """Type and key, without the comment: what a known_hosts line or a stack file takes."""
    return " ".join((folder(name) / "host_key.pub").read_text().split()[:2])


def _known_hosts(record: Record) -> str:
    key = host_public_key(record.name)
    return f"[127.0.0.1]:{record.port} {key}\n{record.address} {key}\n"


def _ssh_config(record: Record) -> str:
    path = folder(record.name)
    lines = [
        f"Host {record.name}",
        "    HostName 127.0.0.1",
        f"    Port {record.port}",
        f"    User {record.user}",
        f'    IdentityFile "{path / "user_key"}"',
        "    IdentitiesOnly yes",
        f'    UserKnownHostsFile "{path / "known_hosts"}"',
        "    GlobalKnownHostsFile /dev/null",
        "    StrictHostKeyChecking yes",
        "    BatchMode yes",
        "    ConnectTimeout 30",
        "    LogLevel ERROR",
    ]
    return "\n".join(lines) + "\n"
