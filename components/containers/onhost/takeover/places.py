"""Folders of data change their place and their owner, whole or not at all, and in either direction."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

from components.containers.onhost.takeover.problem import TakeoverError

MOVED, COPIED, STAYED = "rename", "copy", "stay"


def plan(source: Path, target: Path) -> str:
    """How it will go, by where both lie."""
    if source == target:
        return STAYED
    return MOVED if source.stat().st_dev == nearest(target).stat().st_dev else COPIED


def nearest(path: Path) -> Path:
    return path if path.exists() else nearest(path.parent)


def size(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", str(folder)], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) if done.stdout.split() else 0


def bring(source: Path, target: Path, aside: Path, mark: str = "") -> str:
    """The folder `source` becomes `target`, by way of `aside`; said again it completes what was begun. Returns how.

    `mark` is a file that the folder has: where one place lies inside the other, only that tells whether it is there.
    A copy leaves the original where it is.
    """
    if source == target:
        return STAYED
    how = MOVED
    if not aside.exists():
        if arrived(target, mark) or not source.exists():
            return how
        how = _set_aside(source, aside)
    _clear(target)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside.rename(target)
    _sync(target.parent)
    return how


def arrived(target: Path, mark: str = "") -> bool:
    """Before anything began the place was empty, or not there."""
    return (target / mark).exists() if mark else target.is_dir() and any(target.iterdir())


def _set_aside(source: Path, aside: Path) -> str:
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(aside)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return MOVED
    partial = aside.with_name(f"{aside.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(["cp", "-a", "--", str(source), str(partial)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise TakeoverError(f"{source} could not be copied: {done.stderr.strip()}")
    os.sync()
    partial.rename(aside)
    return COPIED


def _clear(target: Path) -> None:
    """An empty folder is nobody's; anything else is."""
    if not target.exists():
        return
    try:
        target.rmdir()
    except OSError:
        raise TakeoverError(f"{target} is not empty: what is in it belongs to somebody else, so it stays.") from None


def owned(folder: Path, user: int, group: int) -> None:
    """Everything in it. Links are not followed."""
    os.lchown(folder, user, group)
    for at, folders, files in os.walk(folder):
        for each in (*folders, *files):
            os.lchown(os.path.join(at, each), user, group)


def owner_of(folder: Path) -> "list[int]":
    found = folder.lstat()
    return [found.st_uid, found.st_gid]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
