"""Put the stand-in plugins into a rehearsal's PULUMI_HOME."""

import json
import os
import shlex
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

PLUGINS = ("aws", "cloudflare", "command", "docker", "random", "tls")
MARKER = "rehearsal.json"
_PACKAGE = Path(__file__).resolve().parent


def install(
    home: Path,
    backends: Sequence[str],
    *,
    zones: Mapping[str, Mapping[str, str]] | None = None,
    machine: Sequence[str] = (),
    clouds: Path | None = None,
) -> None:
    """Make `home` a rehearsal whose state may live in `backends` only.

    `zones` are those that exist, by id, with `name` and perhaps `plan` and `account_id`; `machine` lists the addresses
    that SSH and Docker may act on; `clouds` is the folder of the emulated ones. Without the latter two, state is kept
    and nothing else.
    """
    home.mkdir(parents=True, exist_ok=True)
    marker: dict[str, object] = {"backends": list(backends), "zones": zones or {}, "machine": list(machine)}
    marker["clouds"] = str(clouds) if clouds else ""
    _write(home / MARKER, json.dumps(marker, indent=1) + "\n")
    for name in PLUGINS:
        _install_one(home.resolve(), name, _installed_version(name))


def _site() -> Path:
    return Path(sysconfig.get_paths()["purelib"])


def _installed_version(name: str) -> str:
    return str(json.loads((_site() / f"pulumi_{name}" / "pulumi-plugin.json").read_text())["version"])


def _install_one(home: Path, name: str, version: str) -> None:
    root = _PACKAGE.parents[1]
    places = (str(home), str(root), str(_site()), str(root / ".toolchain" / "schemas"))
    words = [sys.executable, "-IS", str(_PACKAGE / "plugins" / "launcher.py"), name, version, *places]
    folder = home / "plugins" / f"resource-{name}-v{version}"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"pulumi-resource-{name}"
    gone = f"The Python of this rehearsal, {words[0]}, is gone: set the rehearsal up again."
    check = f"[ -x {shlex.quote(words[0])} ] || {{ echo {shlex.quote(gone)} >&2; exit 1; }}"
    _write(script, f'#!/bin/sh\n{check}\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: a preview may be starting from it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
