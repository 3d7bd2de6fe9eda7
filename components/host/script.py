"""What runs on the server, as text: idempotent, so that running it again changes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from components.host.config import HostSettings


def directories(settings: HostSettings) -> str:
    """The product's folders, owned by the deploy user; data of containers below its own root."""
    owner = settings.deploy.name
    below = [f"{settings.root}/{folder}" for folder in settings.directories]
    lines = ["set -eu", *(_folder(path, owner) for path in _with_parents([settings.root, *below]))]
    return "\n".join([*lines, _folder(settings.data, "root"), ""])


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


def _folder(path: str, owner: str) -> str:
    return f"sudo install -d -m 0755 -o {shlex.quote(owner)} -- {shlex.quote(path)}"


def _with_parents(paths: Iterable[str]) -> list[str]:
    """`install -d` gives the owner to the last folder only, so that each level is named."""
    found: dict[str, None] = {}
    for path in paths:
        root, *rest = path.strip("/").split("/")
        levels = [f"/{root}"]
        for step in rest:
            levels.append(f"{levels[-1]}/{step}")
        found.update(dict.fromkeys(levels[1:] or levels))
    return list(found)
