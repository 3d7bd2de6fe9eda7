"""Encrypted to a key that is not on the server: read back all the same, and opened only by whoever has that key."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from backup_stage import BUCKET, Stage

from rehearsal.sinks.debian import program

pytestmark = pytest.mark.rehearsal


def key(folder: Path, name: str) -> tuple[Path, str]:
    path, keygen = folder / name, program("age-keygen", "age")
    path.write_bytes(subprocess.run([keygen], capture_output=True, check=True).stdout)
    public = subprocess.run([keygen, "-y", str(path)], capture_output=True, check=True, text=True).stdout
    return path, public.strip()


def test_only_the_offline_key_opens_it_elsewhere(shop: Stage, tmp_path: Path) -> None:
    identity, recipient = key(tmp_path, "offline")
    shop.good("backup", encrypt_to=recipient)
    (name,) = shop.names()
    assert shop.objects() == [f"database/{name}.age"]
    body = shop.client().get_object(Bucket=BUCKET, Key=f"database/{name}.age")["Body"].read()
    assert body.startswith(b"age-encryption.org/v1")
    # Another server has the bucket and nothing else.
    for path in shop.backups.glob("neurmatic_*"):
        path.unlink()
    assert "--identity" in shop.bad("restore", name, "--into", "copy")
    wrong, _ = key(tmp_path, "wrong")
    assert "cannot be decrypted" in shop.bad("restore", name, "--into", "copy", "--identity", str(wrong))
    assert "copy" not in shop.databases()
    shop.good("restore", "--into", "copy", "--identity", str(identity))
    assert shop.sql("SELECT count(*) FROM stock.item", "copy") == "5000"
    shop.sql("DROP DATABASE copy", "postgres")


def test_an_upload_that_was_killed_before_its_answer_is_compared_and_counts(shop: Stage, tmp_path: Path) -> None:
    """S3 has the object, the server does not know: the next look reads it back instead of failing for ever."""
    _, recipient = key(tmp_path, "offline")
    shop.clouds.fault("503", api="aws", method="GET", times=None)
    shop.bad("backup", encrypt_to=recipient, patience=2)
    shop.clouds.clear_faults()
    assert len(shop.objects()) == 1
    assert shop.status()["verified"] is False
    shop.good("backup", "--watch", encrypt_to=recipient)
    assert shop.status()["verified"] is True
    assert len(shop.objects()) == 1
