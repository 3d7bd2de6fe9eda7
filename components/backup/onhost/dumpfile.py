"""The file of a backup: gzip, which `zcat FILE | psql` can load; its last line says what must be in it.

That line is a comment for psql and a second member for gzip. It holds the name, the checksum of the SQL before it, what
was in the database at the snapshot, and the roles: so a file proves itself, without a second one that could get lost.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from components.backup.onhost import gpg, process
from components.backup.onhost.portrait import Portrait
from components.backup.onhost.problem import BackupError, RefusedError
from components.backup.onhost.shelf import bare

MARK = b"\n-- neurmatic-backup: "
COMPLETE = b"-- PostgreSQL database dump complete"
TAIL = 4096
LONGEST_MANIFEST = 8 << 20
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    format: int
    name: str
    system: str
    database: str
    reason: str
    taken: str
    """When the snapshot was taken, in UTC."""
    server: str
    """The version of PostgreSQL."""
    database_bytes: int
    sql_bytes: int
    sql_sha256: str
    roles: list[str]
    """Statements that make the roles, without their passwords."""
    portrait: Portrait

    def line(self) -> bytes:
        return MARK + json.dumps(asdict(self), sort_keys=True).encode() + b"\n"


def manifest_from(text: bytes) -> Manifest:
    data: dict[str, Any] = json.loads(text)
    if data.get("format") != FORMAT:
        raise RefusedError(f"The backup has format {data.get('format')}, and these scripts read {FORMAT}.")
    known = {each.name for each in fields(Manifest)}
    portrait = Portrait(**data.pop("portrait"))
    return Manifest(**{key: value for key, value in data.items() if key in known}, portrait=portrait)


def write(argv: list[str], path: Path, level: int, manifest: Callable[[str, int], Manifest]) -> Manifest:
    """The output of pg_dump into a file that has its name only when it is whole and on the disk."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            digest, size = _compress(argv, file.fileno(), level)
            told = manifest(digest, size)
            file.seek(0, os.SEEK_END)
            file.write(gzip.compress(told.line()))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        raise BackupError(f"The dump cannot be written to {path.parent}: {error.strerror or error}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return told


def _compress(argv: list[str], file: int, level: int) -> tuple[str, int]:
    digest, size, tail = hashlib.sha256(), 0, b""
    packing = [*packer(), f"-{level}", "--no-name"]
    with (
        process.running(argv, "pg_dump", stdout=subprocess.PIPE) as dump,
        process.running(packing, "The dump cannot be compressed", stdin=subprocess.PIPE, stdout=file) as packed,
    ):
        for piece in process.chunks(process.source(dump)):
            digest.update(piece)
            size += len(piece)
            tail = (tail + piece)[-TAIL:]
            process.sink(packed).write(piece)
        # Asked here, while the file has no name: of a pipe that broke, only the exit code knows.
        if dump.wait() == 0 and COMPLETE not in tail:
            raise BackupError("pg_dump ended before the end of the dump, without saying why.")
    return digest.hexdigest(), size


def packer() -> list[str]:
    """pigz writes what gzip writes, on all cores."""
    return ["pigz"] if shutil.which("pigz") else ["gzip"]


@dataclass(frozen=True)
class Lent:
    """A private key that is on this server for one restore."""

    key: Path
    passphrase: Path | None = None


Identity = Path | Lent


@contextlib.contextmanager
def opened(path: Path, identity: Identity | None = None) -> Iterator[Iterator[bytes]]:
    """The SQL of a file, decrypted and unpacked; the programs' own complaints come at the end."""
    encrypted = bare(path.name) != path.name
    if encrypted and identity is None:
        raise RefusedError(f"{path.name} is encrypted: give the private key with --identity FILE.")
    with contextlib.ExitStack() as stack:
        source: Any = stack.enter_context(path.open("rb"))
        if encrypted and identity is not None:
            source = stack.enter_context(_decrypted(path, source, identity))
        # pigz says nothing of what has been appended to a file; gzip refuses it.
        argv = ["gzip", "--decompress", "--stdout"]
        unpacking = process.running(argv, f"{path.name} is damaged", stdin=source, stdout=subprocess.PIPE)
        unpacked = stack.enter_context(unpacking)
        yield process.chunks(process.source(unpacked))


@contextlib.contextmanager
def _decrypted(path: Path, source: Any, identity: Identity) -> Iterator[Any]:
    lent = identity if isinstance(identity, Lent) else Lent(identity)
    if path.name.endswith(gpg.ENDING):
        with gpg.opened(path, source, lent.key, lent.passphrase) as plain:
            yield plain
        return
    argv = ["age", "--decrypt", "--identity", str(lent.key)]
    what = f"{path.name} cannot be decrypted"
    with process.running(argv, what, first=True, stdin=source, stdout=subprocess.PIPE) as opening:
        yield opening.stdout


class Check:
    """Passes the SQL on while it is read; afterwards `manifest` says what it is, or why it is not a backup."""

    def __init__(self, label: str) -> None:
        self._label, self._digest, self._size = label, hashlib.sha256(), 0
        self._last: deque[bytes] = deque()
        self._length = 0

    def reading(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._last.append(piece)
            self._length += len(piece)
            while self._length - len(self._last[0]) > LONGEST_MANIFEST:
                self._length -= len(self._last[0])
                self._take(self._last.popleft())
            yield piece

    def _take(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._size += len(piece)

    def manifest(self) -> Manifest:
        held = b"".join(self._last)
        at = held.rfind(MARK)
        text = held[at + len(MARK) :]
        if at < 0 or text.count(b"\n") != 1 or not text.endswith(b"\n"):
            raise RefusedError(f"{self._label} is not whole: the line that says what is in it is missing at its end.")
        if COMPLETE not in held[max(0, at - TAIL) : at]:
            raise RefusedError(f"{self._label} is not whole: pg_dump's last line is missing.")
        self._take(held[:at])
        try:
            told = manifest_from(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise RefusedError(f"{self._label}: the line that says what is in it cannot be read.") from None
        if (told.sql_sha256, told.sql_bytes) != (self._digest.hexdigest(), self._size):
            raise RefusedError(f"{self._label} is damaged: its content is not what was dumped.")
        return told


def check(path: Path, identity: Identity | None = None) -> Manifest:
    """Reads the file to its end and compares it with what it says of itself; nothing else is touched."""
    if not path.is_file() or path.stat().st_size == 0:
        raise RefusedError(f"{path} is empty or missing.")
    checking = Check(path.name)
    try:
        with opened(path, identity) as pieces:
            for _ in checking.reading(pieces):
                pass
    except RefusedError:
        raise
    except BackupError as error:
        raise RefusedError(str(error)) from None
    return checking.manifest()


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
