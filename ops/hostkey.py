"""The server's host key: asked for once, compared by a person, then pinned in the stack file."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from pathlib import Path

from ops.errors import OperatorError

UNKNOWN = "ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
_LINE = re.compile(r"^(?P<before>\s*host_key:\s*)(?P<key>\S+ \S+)(?P<after>.*)$", re.MULTILINE)


def pinned(stack_file: Path) -> str | None:
    """The key in the stack file, or None while it only says that it is not known yet."""
    found = _LINE.search(stack_file.read_text())
    return found["key"] if found and found["key"] != UNKNOWN else None


def scan(address: str, port: int) -> str:
    command = ["ssh-keyscan", "-T", "10", "-t", "ed25519", "-p", str(port), address]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    keys = [line.split(" ", 1)[1].strip() for line in result.stdout.splitlines() if not line.startswith("#")]
    if not keys:
        raise OperatorError(f"{address} does not answer with an ed25519 host key on port {port}: is it up?")
    return keys[0]


def fingerprint(key: str) -> str:
    """As the provider's console and `ssh-keygen -l` show it."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def pin(stack_file: Path, key: str) -> None:
    """Changes that one line, and takes its comment away, which says that the key is not known."""
    text = stack_file.read_text()
    if not _LINE.search(text):
        raise OperatorError(f"{stack_file.name} has no host_key line to write to: add host.ssh.host_key: {key}")
    temporary = stack_file.with_name(f".{stack_file.name}.new")
    temporary.write_text(_LINE.sub(lambda line: f"{line['before']}{key}", text, count=1))
    temporary.replace(stack_file)
