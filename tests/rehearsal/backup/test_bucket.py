"""The bucket as the scripts see it: large uploads, the archive, and a server that has nothing but the bucket."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from backup_stage import BUCKET, Stage

from components.backup.onhost import s3

pytestmark = pytest.mark.rehearsal
HOUR = 3600


def test_an_archived_backup_is_fetched_back_and_the_same_command_goes_on(shop: Stage) -> None:
    shop.good("backup")
    (name,) = shop.names()
    body = (shop.backups / name).read_bytes()
    shop.client().put_object(Bucket=BUCKET, Key=f"database/{name}", Body=body, StorageClass="GLACIER")
    for path in shop.backups.glob("neurmatic_*"):
        path.unlink()
    first = shop.bad("restore", name, "--into", "copy")
    assert "S3 has been asked for it" in first
    assert "up to 5 hours" in first
    again = shop.bad("restore", name, "--into", "copy")
    assert "S3 has been asked for it" not in again
    shop.clouds.skip(6 * HOUR)
    shop.good("restore", name, "--into", "copy")
    assert shop.sql("SELECT count(*) FROM ledger", "copy") == "1"
    shop.sql("DROP DATABASE copy", "postgres")
    # It has been restored: no copy of it fills the disk.
    assert not list((shop.backups / "fetched").iterdir())


def test_a_large_one_goes_up_in_parts(shop: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = json.loads((shop.root / "key.json").read_text())
    bucket = s3.Bucket(BUCKET, "eu-west-1", key["id"], key["secret"], shop.clouds.aws)
    monkeypatch.setattr(s3, "PART", 5 << 20)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(12 << 20))
    bucket.put("database/large", large, {"sha256": s3.digest_of(large)}, whole=1 << 20)
    with bucket.get("database/large") as answer:
        assert b"".join(s3.whole(answer)) == large.read_bytes()
    assert bucket.head("database/large").metadata["sha256"] == s3.digest_of(large)
    for whole in (1 << 20, 1 << 30):
        with pytest.raises(s3.S3Error) as refused:
            bucket.put("database/large", large, {}, whole=whole)
        assert refused.value.status == 412
    uploads = shop.client().list_multipart_uploads(Bucket=BUCKET)
    assert not uploads.get("Uploads")


@pytest.mark.long
def test_the_drill_has_nothing_but_the_bucket(shop: Stage) -> None:
    shop.good("backup")
    (name,) = shop.names()
    shop.client().put_object(Bucket=BUCKET, Key=f"database/{name}", Body=b"not what was there")
    assert "damaged" in shop.bad("backup", "--drill")
    assert "critical" in shop.told()[-1]
    body = (shop.backups / name).read_bytes()
    shop.client().put_object(Bucket=BUCKET, Key=f"database/{name}", Body=body)
    assert "out of the bucket and restored in" in shop.good("backup", "--drill")
