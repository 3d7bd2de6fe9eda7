"""actionlint, built once from the pinned modules beside this file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE = Path(__file__).resolve().parent / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


class MissingError(Exception):
    """Why there is no actionlint, in one sentence."""


def actionlint() -> Path:
    """The program; built in a few seconds when it is not there."""
    key = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in ("go.mod", "go.sum"))).hexdigest()[:12]
    folder = ROOT / ".toolchain" / "actionlint"
    program = folder / f"actionlint-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _build(program)
    return program


def _build(program: Path) -> None:
    if shutil.which("go") is None:
        raise MissingError("actionlint is built by Go, and there is none.")
    made = program.with_suffix(".new")
    folder = program.parent
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOMODCACHE": str(folder / "mod"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    done = subprocess.run(
        ["go", "build", "-o", str(made), PACKAGE],
        cwd=SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(folder / "build", ignore_errors=True)
    shutil.rmtree(folder / "mod", ignore_errors=True)
    if done.returncode:
        raise MissingError(f"actionlint could not be built: {done.stderr.strip().splitlines()[-1]}")
    made.replace(program)
