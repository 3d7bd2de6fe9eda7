"""Programs out of Debian packages without installing them: unpacked into a cache, no service started."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError

CACHE = TOOLCHAIN / "debian"
FETCH_SECONDS = 120


def program(name: str, package: str) -> str:
    """The path of a program: on PATH, or out of its package, which apt fetches and checks."""
    found = shutil.which(name)
    if found:
        return found
    unpacked = CACHE / package / "usr" / "bin" / name
    if not unpacked.exists():
        _unpack(name, package)
    return str(unpacked)


def _unpack(name: str, package: str) -> None:
    help_text = f"The program '{name}' is missing: install it (on Debian or Ubuntu: apt-get install {package})."
    if shutil.which("apt-get") is None:
        raise RehearsalError(help_text)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        if not _download(package, scratch) and not (_update() and _download(package, scratch)):
            raise RehearsalError(f"{help_text} apt could not fetch the package by itself.")
        tree = Path(scratch) / "tree"
        _run("dpkg-deb", "--extract", str(next(Path(scratch).glob("*.deb"))), str(tree), folder=scratch)
        if not (tree / "usr" / "bin" / name).exists():
            raise RehearsalError(f"The package {package} of this distribution holds no program '{name}'.")
        _keep(tree, CACHE / package)


def _download(package: str, folder: str) -> bool:
    return _run("apt-get", "--quiet", "download", package, folder=folder)


def _update() -> bool:
    """A fresh container or CI machine has no package lists yet."""
    return os.geteuid() == 0 and _run("apt-get", "-o", "DPkg::Lock::Timeout=120", "--quiet", "update", folder="/")


def _run(*command: str, folder: str) -> bool:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _keep(tree: Path, target: Path) -> None:
    """Whole or not at all; another process may have been quicker."""
    try:
        tree.rename(target)
    except OSError:
        if not target.exists():
            raise
