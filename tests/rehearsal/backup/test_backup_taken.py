"""A backup is what was restored on trial, lies in the bucket, and was read back; anything less is told."""

from __future__ import annotations

import gzip
import json

import boto3
import pytest
from backup_stage import BUCKET, Stage
from botocore.exceptions import ClientError

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
    only_adds(shop, f"database/{name}")
    silence(shop)
    listed(shop, name)


def only_adds(shop: Stage, key: str) -> None:
    """The key on the server can neither delete a backup nor put another in its place."""
    own = json.loads((shop.root / "key.json").read_text())
    names = {"aws_access_key_id": own["id"], "aws_secret_access_key": own["secret"]}
    client = boto3.client("s3", endpoint_url=shop.clouds.aws, region_name="eu-west-1", **names)
    for attempt in (
        lambda: client.delete_object(Bucket=BUCKET, Key=key),
        lambda: client.put_object(Bucket=BUCKET, Key=key, Body=b"nothing"),
        lambda: client.put_object(Bucket=BUCKET, Key=key, Body=b"nothing", IfNoneMatch="*"),
    ):
        with pytest.raises(ClientError):
            attempt()


def silence(shop: Stage) -> None:
    """Nobody is told while all is well; the age of the newest good one is an alarm of its own."""
    shop.good("backup", "--watch")
    assert not shop.told()
    assert "hours old" in shop.bad("backup", "--watch", max_age=0)
    assert "critical" in shop.told()[-1]


def listed(shop: Stage, name: str) -> None:
    said = shop.good("backup", "--list")
    assert f"{name}" in said
    assert "in the bucket, and here" in said
    for path in shop.backups.glob("neurmatic_*"):
        path.unlink()
    assert "in the bucket (STANDARD_IA)" in shop.good("backup", "--list")
    assert "opens s3://test-backups alone" in shop.bad("restore", "s3://others/database/x.sql.gz")
    assert "nor the name of a backup" in shop.bad("restore", "nonsense")
