"""Which keys backups are sealed to, by gpg itself: damage, strangers' keys and weak ones are refused."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from neon_stage import TOOLS, Pair, pair

from components.backup import pgp
from components.backup.onhost import gpg
from components.backup.onhost.dumpfile import Lent, opened
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Gpg

pytestmark = pytest.mark.rehearsal


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", ":".join([*TOOLS, os.environ["PATH"]]))


def sealed(folder: Path, own: Pair, text: bytes = b"rows") -> Path:
    key, plain, target = folder / "key.asc", folder / "plain", folder / "plain.sql.gz.gpg"
    key.write_text(own.public)
    plain.write_bytes(text)
    gpg.seal(Gpg(own.fingerprint, str(key)), plain, target)
    return target


def opens(path: Path, lent: Lent) -> bytes:
    with path.open("rb") as source, gpg.opened(path, source, lent.key, lent.passphrase) as plain:
        return plain.read()


def test_it_opens_with_the_private_half_alone(tmp_path: Path, offline_key: Pair) -> None:
    target = sealed(tmp_path, offline_key)
    assert opens(target, Lent(offline_key.private)) == b"rows"
    packets = subprocess.run(["gpg", "--list-packets", str(target)], capture_output=True, text=True, check=False)
    assert len(re.findall(r"^:pubkey enc packet:", packets.stdout, re.MULTILINE)) == 2
    stranger = pair(tmp_path / "stranger", "ed25519")
    with pytest.raises(BackupError, match="cannot be decrypted"):
        opens(target, Lent(stranger.private))
    with pytest.raises(BackupError, match="is no private key"):
        opens(target, Lent(tmp_path / "plain"))
    assert not list(Path("/run").glob("infra-gpg-*"))


def test_a_key_with_a_passphrase_is_lent_with_it(tmp_path: Path) -> None:
    own = pair(tmp_path / "own", "ed25519", passphrase="correct horse")
    target, words = sealed(tmp_path, own), tmp_path / "words"
    words.write_text("correct horse\n")
    assert opens(target, Lent(own.private, words)) == b"rows"
    words.write_text("wrong\n")
    with pytest.raises(BackupError):
        opens(target, Lent(own.private, words))
    with pytest.raises(BackupError):
        opens(target, Lent(own.private))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-40],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-200] + bytes([data[-200] ^ 1]) + data[-199:],
        lambda data: b"\x00" + data[1:],
        lambda data: b"",
        lambda data: data + b"more",
    ],
    ids=["cut off", "half", "bit flip", "bit flip at the start", "empty", "garbage behind it"],
)
def test_what_was_damaged_on_its_way_is_refused(
    tmp_path: Path, offline_key: Pair, damage: Callable[[bytes], bytes]
) -> None:
    target = sealed(tmp_path, offline_key, os.urandom(2000))
    target.write_bytes(damage(target.read_bytes()))
    with pytest.raises(BackupError), opened(target, offline_key.private) as pieces:
        b"".join(pieces)


def test_a_key_that_will_not_do_is_a_sentence(tmp_path: Path, offline_key: Pair) -> None:
    cases = {
        "too weak (RSA 2048)": pair(tmp_path / "short", "rsa2048"),
        "encrypt_to names": replace(offline_key, fingerprint="A" * 40),
        "is no public key": replace(offline_key, public="-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    }
    for words, own in cases.items():
        with pytest.raises(BackupError, match=re.escape(words)):
            sealed(tmp_path, own)
    assert not (tmp_path / "plain.sql.gz.gpg").exists()


def test_a_key_that_expires_is_said_before_and_refused_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = pair(tmp_path / "own", "ed25519", expires="10d")
    key = tmp_path / "key.asc"
    key.write_text(own.public)
    assert "expires in 9 days" in gpg.ends_soon(Gpg(own.fingerprint, str(key)))
    argv = gpg.Ring.argv
    later = ["--faked-system-time", "20991231T000000"]
    monkeypatch.setattr(gpg.Ring, "argv", lambda self, *words: argv(self, *later, *words))
    with pytest.raises(BackupError, match="has expired"):
        sealed(tmp_path, own)


def test_the_program_judges_a_key_as_gpg_does(tmp_path: Path, offline_key: Pair) -> None:
    """Its own reader knows only the first packet; that must be the same key."""
    for own, strong in (
        (offline_key, True),
        (pair(tmp_path / "short", "rsa2048"), False),
        (pair(tmp_path / "curve", "ed25519"), True),
        (pair(tmp_path / "nist", "nistp256"), False),
    ):
        read = pgp.read(own.public)
        assert (read.fingerprint, read.strong) == (own.fingerprint, strong)
    for text in ("", "nonsense", offline_key.public[:400], offline_key.private.read_text()):
        with pytest.raises(pgp.KeyFileError):
            pgp.read(text)
