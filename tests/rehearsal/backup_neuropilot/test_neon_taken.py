"""NeuroPilot's backup: of a database elsewhere, sealed to a key that is not here, on a remote of rclone."""

from __future__ import annotations

import hashlib

import pytest
from neon_stage import BACKUP, PASSWORDS, NeonStage

pytestmark = pytest.mark.rehearsal


def test_it_is_restored_sealed_uploaded_and_read_back(neon: NeonStage) -> None:
    said = neon.good("backup")
    (name,) = neon.names()
    assert "restored on trial, nothing is missing" in said
    assert "sealed to" in said
    assert neon.objects() == [name, f"{name}.sha256"]
    data = (neon.remote / name).read_bytes()
    assert (neon.remote / f"{name}.sha256").read_text() == f"{hashlib.sha256(data).hexdigest()}  {name}\n"
    status = neon.status()
    assert (f"{status['name']}.gpg", status["verified"], status["error"]) == (name, True, "")
    assert (neon.backups / name).stat().st_mode & 0o777 == 0o600
    # In the clear it was here for as long as it was tried.
    assert not [path.name for path in neon.backups.iterdir() if path.name.endswith((".gz", ".partial"))]
    assert not neon.told()
    log = (neon.root / "backup.log").read_text()
    spoken = (neon.root / "said").read_text()
    assert "pg_dump" in spoken
    assert PASSWORDS[BACKUP] not in log + said + spoken
