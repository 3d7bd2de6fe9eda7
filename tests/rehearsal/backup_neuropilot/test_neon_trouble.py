"""Bad days of NeuroPilot's backups: nothing half-done counts, the operators are told, and a damaged one is refused."""

from __future__ import annotations

import gzip
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from neon_stage import BACKUP, LIVE, NeonStage, Pair, pair

from components.backup.onhost.dumpfile import MARK
from components.backup.onhost.process import run
from rehearsal.images import ensure_image
from rehearsal.sinks.tls import Authority

pytestmark = pytest.mark.rehearsal


def nothing_counts(neon: NeonStage) -> None:
    assert neon.objects() == []
    assert not [path.name for path in neon.backups.iterdir() if "partial" in path.name or path.name.endswith(".gz")]
    assert neon.status()["verified"] is False
    assert any("critical" in line for line in neon.told())


def test_a_server_that_is_not_who_it_says_gets_no_password(neon: NeonStage) -> None:
    (neon.root / "other.pem").write_bytes(Authority("somebody else").certificate)
    said = neon.bad("backup", address={"authority": str(neon.root / "other.pem")})
    assert "certificate verify failed" in said
    assert "backup.database.authority" in said
    assert "is PostgreSQL 17" in neon.bad("backup", address={"image": ensure_image("postgres").tag})
    (neon.root / "wrong").write_text(f"*:*:*:{BACKUP}:{'z' * 40}\n")
    (neon.root / "wrong").chmod(0o400)
    assert "`./infra database --repair`" in neon.bad("backup", address={"password": str(neon.root / "wrong")})
    nothing_counts(neon)


def test_a_remote_that_is_away_is_caught_up_on(neon: NeonStage) -> None:
    remote = neon.root / "remote"
    shutil.rmtree(remote)
    remote.write_text("away")
    try:
        said = neon.bad("backup")
        assert "is on the server, but not on the remote" in said
        (name,) = neon.names()
        assert neon.status()["verified"] is False
    finally:
        remote.unlink()
        remote.mkdir()
    neon.good("backup", "--watch")
    assert neon.objects() == [name, f"{name}.sha256"]
    assert neon.status()["verified"] is True
    assert "hours old" in neon.bad("backup", "--watch", max_age=0)
    assert f"{name.removesuffix('.gpg')}" in neon.good("backup", "--list")


def test_a_try_goes_nowhere_and_counts_for_nothing(neon: NeonStage) -> None:
    assert "nothing was uploaded" in neon.good("backup", "--skip-upload")
    assert (neon.names(), neon.objects()) == ([], [])
    assert len(list((neon.backups / "tried").glob("*.gpg"))) == 1
    weak = pair(neon.root / "weak", "nistp256")
    (neon.root / "key.asc").write_text(weak.public)
    assert "too weak (nistp256)" in neon.bad("backup", gpg={"fingerprint": weak.fingerprint})
    nothing_counts(neon)


@pytest.mark.long
def test_a_killed_job_leaves_nothing_that_counts(neon: NeonStage) -> None:
    neon.good("backup")
    before = neon.status()
    for sent, moment in ((signal.SIGTERM, "rows"), (signal.SIGKILL, "rows"), (signal.SIGKILL, "sealed to")):
        argv = neon.command("backup")
        job = subprocess.Popen(argv, env=dict(neon.environment), stderr=subprocess.PIPE, text=True)
        assert job.stderr is not None
        for line in job.stderr:
            if moment in line:
                job.send_signal(sent)
                break
        job.communicate(timeout=60)
        assert neon.status()["name"] == before["name"]
    assert any("SIGTERM" in line for line in neon.told())
    neon.good("backup")
    assert not [path.name for path in neon.backups.iterdir() if path.name.endswith((".gz", ".partial"))]
    for label in ("neurmatic.backup.trial", "neurmatic.backup.clients"):
        argv = ["docker", "ps", "-aq", "--filter", f"label={label}={neon.settings['scratch']}"]
        assert run(argv, "docker") == b""


@pytest.mark.long
def test_two_at_once_follow_each_other(neon: NeonStage) -> None:
    neon.write_settings({})
    jobs = [subprocess.Popen(neon.command("backup"), env=dict(neon.environment)) for _ in range(2)]
    assert [job.wait(300) for job in jobs] == [0, 0]
    assert len(neon.names()) == 2
    assert len(neon.objects()) == 4


Damage = Callable[[bytes], bytes]
PLAIN: dict[str, tuple[Damage, str]] = {
    "renamed": (
        lambda data: data.replace(b'"name": "neuropilot_2', b'"name": "neuropilot_1', 1),
        "holds the content of",
    ),
    "another system's": (
        lambda data: data.replace(b'"system": "neuropilot"', b'"system": "neurmatic"'),
        "a backup of neurm",
    ),
    "another database's": (
        lambda data: data.replace(f'"database": "{LIVE}"'.encode(), b'"database": "other"'),
        "other",
    ),
    "stale": (lambda data: data.replace(b'"taken": "20', b'"taken": "19'), "hours old"),
    "one value changed": (lambda data: data.replace(b"item 77\t", b"item 78\t"), "damaged"),
    "without its last line": (lambda data: data[: data.rindex(MARK)], "not whole"),
}


def test_what_was_damaged_or_swapped_is_refused(neon: NeonStage, offline_key: Pair, tmp_path: Path) -> None:
    """Those of the file itself are Neurmatic's too (test_corruptions.py): here they come sealed, through the remote."""
    neon.good("backup")
    (name,) = neon.names()
    own = ("--identity", str(offline_key.private), "--address", neon.owner_file(), "--yes")
    good = (neon.backups / name).read_bytes()
    before = neon.databases()
    path = tmp_path / name
    path.write_bytes(good[:-64])
    assert "is as it was" in neon.bad("restore", str(path), *own)
    stranger = pair(tmp_path / "stranger", "ed25519")
    assert "cannot be decrypted" in neon.bad("restore", name, "--identity", str(stranger.private), *own[2:])
    (neon.backups / name).write_bytes(good[:-1])
    assert "has changed since it was written" in neon.bad("restore", *own)
    for path in neon.backups.glob("neuropilot_*"):
        path.unlink()
    (neon.remote / name).write_bytes(good[:-1])
    assert "is not what its checksum says" in neon.bad("restore", *own)
    shutil.rmtree(neon.remote)
    assert "There is no backup" in neon.bad("restore", *own)
    assert neon.databases() == before


@pytest.mark.parametrize("kind", PLAIN)
def test_what_was_sealed_by_somebody_else_is_judged_by_its_content(
    neon: NeonStage, offline_key: Pair, sealed_good: bytes, tmp_path: Path, kind: str
) -> None:
    """Whoever has the public key can seal: what is inside has to prove itself."""
    from components.backup.onhost import gpg, settings  # noqa: PLC0415
    from components.backup.onhost.choose import judged  # noqa: PLC0415
    from components.backup.onhost.problem import RefusedError  # noqa: PLC0415

    change, words = PLAIN[kind]
    changed = change(sealed_good)
    assert changed != sealed_good
    (tmp_path / "plain").write_bytes(gzip.compress(changed))
    path = tmp_path / "neuropilot_20261121_020000.sql.gz.gpg"
    gpg.seal(settings.Gpg(offline_key.fingerprint, str(neon.root / "key.asc")), tmp_path / "plain", path)
    with pytest.raises(RefusedError, match=words):
        judged(settings.Settings(**neon.settings), path, offline_key.private, 17, latest=True)


@pytest.fixture(scope="module")
def sealed_good(neon_of_session: NeonStage, offline_key: Pair) -> bytes:
    """A backup as it is inside, under the name that the tests give it."""
    from components.backup.onhost.dumpfile import opened  # noqa: PLC0415

    neon_of_session.settings["gpg"]["fingerprint"] = offline_key.fingerprint
    (neon_of_session.root / "key.asc").write_text(offline_key.public)
    neon_of_session.forget()
    neon_of_session.good("backup", "--skip-upload")
    (path,) = (neon_of_session.backups / "tried").glob("*.gpg")
    with opened(path, offline_key.private) as pieces:
        text = b"".join(pieces)
    own = path.name.removesuffix(".gpg").encode()
    return text.replace(own, b"neuropilot_20261121_020000.sql.gz")
