"""Which backup a recovery takes, and what is said when there is none that it may take."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from components.backup.onhost.s3 import Bucket, Object, S3Error
from neurmatic.settings import NeurmaticSettings
from ops.drill.database import backups_in
from ops.drill.vault import Backup, backups, chosen, needs_key
from ops.errors import OperatorError
from ops.stackcheck import check_file
from ops.target import ROOT

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
NEW = Backup("neurmatic_20261122_020000.sql.gz", NOW - timedelta(hours=10), 1_000_000, encrypted=False, archived=False)
OLD = replace(NEW, name="neurmatic_20261119_020000.sql.gz", taken=NOW - timedelta(hours=82))
FOUND = check_file(ROOT / "Pulumi.production.yaml", rehearsal=True).settings
assert isinstance(FOUND, NeurmaticSettings)
SETTINGS: NeurmaticSettings = FOUND
KEY = {"urn": "x::storage-dumps-key", "type": "aws:iam/accessKey:AccessKey", "outputs": {"id": "a", "secret": "b"}}
STATE = {"deployment": {"resources": [KEY]}}


def test_the_newest_is_taken() -> None:
    assert chosen([OLD, NEW], SETTINGS, None, NOW) == NEW


def test_none_at_all_is_a_sentence() -> None:
    with pytest.raises(OperatorError, match=r"no backup of neurmatic in s3://.*nothing to recover from"):
        chosen([], SETTINGS, None, NOW)


def test_one_that_is_too_old_is_refused_and_can_be_named() -> None:
    with pytest.raises(OperatorError, match=rf"82\.0 hours old, .* 36\.0 hours: `--backup {OLD.name}` takes it"):
        chosen([OLD], SETTINGS, None, NOW)
    assert chosen([OLD], SETTINGS, OLD.name, NOW) == OLD


def test_a_name_that_nobody_has_is_a_sentence() -> None:
    with pytest.raises(OperatorError, match=rf"There is no backup nonsense in .* the last ones are {NEW.name}"):
        chosen([NEW], SETTINGS, "nonsense", NOW)


def test_a_sealed_one_needs_its_key_before_anything_begins(tmp_path: Path) -> None:
    sealed = replace(NEW, encrypted=True)
    with pytest.raises(OperatorError, match="is encrypted: --backup-identity names"):
        needs_key(sealed, None)
    with pytest.raises(OperatorError, match="There is no file"):
        needs_key(sealed, tmp_path / "gone")
    needs_key(NEW, None)


def test_the_bucket_is_read_by_the_servers_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def listing(bucket: Bucket, prefix: str) -> list[Object]:
        seen.append((bucket.id, bucket.secret, bucket.endpoint, prefix))
        names = ("neurmatic_20261122_020000.sql.gz.age", "neurmatic_20261121_020000.sql.gz", "neuropilot_20261122.dump")
        return [Object(f"{prefix}{name}", 2_000_000, "GLACIER" if "1121" in name else "STANDARD_IA") for name in names]

    monkeypatch.setattr(Bucket, "list", listing)
    found = backups(SETTINGS, STATE, "http://127.0.0.1:1")
    assert seen == [("a", "b", "http://127.0.0.1:1", SETTINGS.storage.backups.prefix)]
    assert [(each.name, each.encrypted, each.archived) for each in found] == [
        ("neurmatic_20261121_020000.sql.gz", False, True),
        ("neurmatic_20261122_020000.sql.gz", True, False),
    ]


def test_a_bucket_that_does_not_let_in_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_bucket: Bucket, _prefix: str) -> list[Object]:
        raise S3Error(403, "InvalidAccessKeyId", "no such key")

    monkeypatch.setattr(Bucket, "list", refused)
    with pytest.raises(OperatorError, match=r"cannot be listed: S3 answered 403.*newer envelope"):
        backups(SETTINGS, STATE)


def test_a_state_without_the_key_is_a_sentence() -> None:
    with pytest.raises(OperatorError, match="The state has no key for the backups"):
        backups(SETTINGS, {"deployment": {"resources": []}})


def test_what_the_server_lists_is_understood() -> None:
    text = (
        "neurmatic_20261121_020000.sql.gz        123456  daily          restored on trial, in the bucket, and here\n"
        "neurmatic_20261001_020000.sql.gz.age      2345  in the bucket (GLACIER)\n"
        "1 here, 2 in the bucket.\n"
    )
    here, there = backups_in(text)
    assert (here.name, here.size, here.encrypted, here.archived) == (
        "neurmatic_20261121_020000.sql.gz",
        "123.5 kB",
        False,
        False,
    )
    assert (there.encrypted, there.archived) == (True, True)
