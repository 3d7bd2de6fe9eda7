"""What the containers' part runs on the server, as text."""

from __future__ import annotations

import shlex


def secret_file(path: str, owner: int) -> str:
    """Writes standard input to a file that only `owner` can read; a reader sees the old content or the new one."""
    target, temporary = shlex.quote(path), shlex.quote(f"{path}.new")
    return "\n".join(
        [
            "set -eu",
            "umask 077",
            f"sudo install -d -m 0711 -- {shlex.quote(path.rpartition('/')[0])}",
            f"sudo install -m 0400 -o {owner} /dev/null {temporary}",
            f"sudo tee -- {temporary} >/dev/null",
            f"sudo mv -f -- {temporary} {target}",
            "",
        ]
    )
