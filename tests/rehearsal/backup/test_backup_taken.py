"""A backup is what was restored on trial, lies in the bucket, and was read back; anything less is told."""

from __future__ import annotations

import gzip

import pytest
from backup_stage import BUCKET, Stage

pytestmark = pytest.mark.rehearsal


def test_it_is_restored_uploaded_and_read_back(shop: Stage) -> None:
    said = shop.good("backup")
    (name,) = shop.names()
    assert "restored on trial, nothing is missing" in said
    assert shop.objects() == [f"database/{name}"]
    about = shop.client().head_object(Bucket=BUCKET, Key=f"database/{name}")
    assert about["StorageClass"] == "STANDARD_IA"
    assert about["ContentLength"] == (shop.backups / name).stat().st_size
    assert set(about["Metadata"]) >= {"taken", "bytes", "sha256"}
    status = shop.status()
    assert (status["name"], status["verified"], status["error"]) == (name, True, "")
    assert (shop.backups / name).stat().st_mode & 0o777 == 0o600
    text = gzip.decompress((shop.backups / name).read_bytes()).decode()
    assert "CREATE ROLE writer" in text
    assert "not in a dump" not in text
    assert not [path for path in shop.backups.iterdir() if path.name.endswith(".partial")]
    assert not shop.told()
