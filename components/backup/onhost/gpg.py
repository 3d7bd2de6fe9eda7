"""GnuPG: a backup is sealed to a public key whose private half is not here, and opened with one that is lent.

What is sealed is opened again at once and compared: for that it is sealed to a second key as well, made for this one
backup and forgotten when that has happened.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from components.backup.onhost import process
from components.backup.onhost.problem import BackupError, RefusedError
from components.backup.onhost.s3 import digest_of
from components.backup.onhost.settings import Gpg

ENDING = ".gpg"
RSA, EDDSA, ECDH, ECDSA = "1", "22", "18", "19"
RSA_BITS = 4096
CURVES = ("ed25519", "cv25519", "ed448", "cv448", "nistp384", "nistp521", "brainpoolP384r1", "brainpoolP512r1")
AES256 = "9"
SOON_DAYS = 30
SECOND_KEY = """%no-protection
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: sign
Subkey-Type: ecdh
Subkey-Curve: cv25519
Subkey-Usage: encrypt
Name-Real: one backup
Expire-Date: 2d
%commit
"""


@dataclass(frozen=True)
class Key:
    """A line of `gpg --with-colons`: a key, or a part of one."""

    part: bool
    validity: str
    bits: int
    algorithm: str
    expires: int
    uses: str
    curve: str
    fingerprint: str = ""

    @property
    def valid(self) -> bool:
        return not set(self.validity) & set("eridn")

    @property
    def strong(self) -> bool:
        if self.algorithm == RSA:
            return self.bits >= RSA_BITS
        return self.algorithm in (EDDSA, ECDH, ECDSA) and self.curve in CURVES

    @property
    def kind(self) -> str:
        return f"RSA {self.bits}" if self.algorithm == RSA else self.curve or f"algorithm {self.algorithm}"


def key_of(word: Sequence[str]) -> Key:
    """The columns that gpg documents in doc/DETAILS; capitals among the uses are those of the whole key."""
    return Key(
        part=word[0] == "sub",
        validity=word[1],
        bits=int(word[2] or 0),
        algorithm=word[3],
        expires=int(word[6] or 0),
        uses="".join(each for each in word[11] if each.islower()),
        curve=word[16],
    )


class Ring:
    """A keyring of its own, in memory, gone with the block."""

    def __init__(self, home: str) -> None:
        self.home = home

    def argv(self, *arguments: str) -> list[str]:
        return ["gpg", "--homedir", self.home, "--batch", "--no-tty", "--quiet", "--no-auto-check-trustdb", *arguments]

    def run(self, what: str, *arguments: str, stdin: bytes = b"") -> bytes:
        return process.run(self.argv(*arguments), what, stdin)

    def listed(self) -> list[Key]:
        found: list[Key] = []
        for line in self.run("The keyring", "--with-colons", "--list-keys").decode().splitlines():
            word = line.split(":")
            if word[0] in ("pub", "sub"):
                found.append(key_of(word))
            if word[0] == "fpr" and found and not found[-1].fingerprint:
                found[-1] = replace(found[-1], fingerprint=word[9])
        return found


@contextlib.contextmanager
def ring() -> Iterator[Ring]:
    folder = "/run" if os.access("/run", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder, prefix="infra-gpg-", ignore_cleanup_errors=True) as home:
        try:
            yield Ring(home)
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)


def imported(ring: Ring, settings: Gpg) -> Key:
    """The public key, if it is the one that is named, and good enough; a sentence if it is not."""
    path = Path(settings.key)
    if not path.is_file():
        raise BackupError(f"There is no public key {path}: `./infra up` writes it.")
    ring.run(f"{path} is no public key", "--import", str(path))
    keys = ring.listed()
    main = next((each for each in keys if each.fingerprint == settings.fingerprint), None)
    if main is None or main.part or sum(not each.part for each in keys) != 1:
        there = ", ".join(each.fingerprint for each in keys if not each.part) or "none"
        raise BackupError(
            f"The public key is {there}, and backup.encrypt_to names {settings.fingerprint}: nothing is sealed to it."
        )
    refuse(main, keys)
    return main


def refuse(main: Key, keys: list[Key]) -> None:
    used = [each for each in keys if "e" in each.uses and each.valid]
    if "r" in main.validity:
        raise BackupError(f"The key {main.fingerprint} has been revoked: make another one, and name it in encrypt_to.")
    if not main.valid or not used:
        raise BackupError(
            f"The key {main.fingerprint} has expired or has no part that encrypts: extend it (`gpg "
            "--quick-set-expire`), and give the public half again."
        )
    for each in [main, *used]:
        if not each.strong:
            raise BackupError(
                f"The key {main.fingerprint} is too weak ({each.kind}): RSA {RSA_BITS} or more, curve 25519 or "
                "better is wanted."
            )


def ends_soon(settings: Gpg) -> str:
    """Before the night on which nothing can be sealed any more."""
    with ring() as there:
        imported(there, settings)
        moments = [each.expires for each in there.listed() if each.expires and each.valid]
    now = datetime.datetime.now(datetime.timezone.utc)
    days = min(((datetime.datetime.fromtimestamp(each, now.tzinfo) - now).days for each in moments), default=SOON_DAYS)
    return "" if days >= SOON_DAYS else f"The key that backups are sealed to expires in {days} days: extend it."


def seal(settings: Gpg, plain: Path, target: Path) -> None:
    """The file under its name is one that has been opened again, and was what was sealed."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        with ring() as there:
            imported(there, settings)
            there.run("A key for this one backup", "--gen-key", stdin=SECOND_KEY.encode())
            second = next(each.fingerprint for each in reversed(there.listed()) if not each.part)
            to = [word for each in (settings.fingerprint, second) for word in ("--recipient", each)]
            how = ["--trust-model", "always", "--cipher-algo", "AES256", "--compress-algo", "none", "--no-encrypt-to"]
            partial.touch(0o600)
            there.run(
                "The backup cannot be sealed", "--yes", *how, *to, "--output", str(partial), "--encrypt", str(plain)
            )
            _opens(there, partial, plain)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _opens(there: Ring, sealed: Path, plain: Path) -> None:
    digest = hashlib.sha256()
    with sealed.open("rb") as source, tempfile.TemporaryFile() as status:
        with _opening(there, source, status, "What was sealed cannot be opened") as opening:
            for piece in process.chunks(process.source(opening)):
                digest.update(piece)
        status.seek(0)
        told = status.read().decode()
    if digest.hexdigest() != digest_of(plain):
        raise BackupError("What was sealed is not what was dumped.")
    if not any(line.split()[3] == AES256 for line in told.splitlines() if " DECRYPTION_INFO " in line):
        raise BackupError("gpg has not sealed the backup with AES-256.")


def _opening(there: Ring, source: Any, status: IO[bytes], what: str, *more: str) -> Any:
    argv = there.argv("--status-fd", str(status.fileno()), *more, "--decrypt")
    streams: dict[str, Any] = {"stdin": source, "stdout": subprocess.PIPE, "pass_fds": (status.fileno(),)}
    return process.running(argv, what, first=True, **streams)


@contextlib.contextmanager
def opened(path: Path, source: Any, identity: Path, passphrase: Path | None) -> Iterator[IO[bytes]]:
    """With a private key that is lent: its keyring is gone with the block."""
    given = ["--pinentry-mode", "loopback", "--passphrase-file", str(passphrase or "/dev/null")]
    with ring() as there, tempfile.TemporaryFile() as status:
        try:
            there.run(f"{identity} is no private key of gpg", *given, "--import", str(identity))
        except BackupError as error:
            raise RefusedError(str(error)) from None
        with _opening(there, source, status, f"{path.name} cannot be decrypted", *given) as opening:
            yield process.source(opening)
