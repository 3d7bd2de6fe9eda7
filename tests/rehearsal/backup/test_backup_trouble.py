"""Bad days: nothing half-written counts as a backup, the operators are told, and the next look catches up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from backup_stage import Stage

from components.backup.onhost import dumpfile
from components.backup.onhost.problem import BackupError

pytestmark = pytest.mark.rehearsal
DOCKER = shutil.which("docker")
CUT = "echo 'pg_dump: error: connection lost' >&2"


def nothing_counts(shop: Stage) -> None:
    assert shop.names() == []
    assert shop.objects() == []
    assert not [path.name for path in shop.backups.iterdir() if "partial" in path.name]
    assert shop.status()["verified"] is False
    assert any("critical" in line for line in shop.told())


def test_s3_that_is_away_is_caught_up_on(shop: Stage) -> None:
    shop.clouds.fault("503", api="aws", times=None)
    said = shop.bad("backup", "--reason", "daily", patience=2)
    assert "is on the server, but not in the bucket" in said
    (name,) = shop.names()
    assert shop.status()["pending"] == [name]
    assert shop.status()["verified"] is False
    # A deploy goes on with a dump that restores; it is not counted yet either.
    assert "not in the bucket" in shop.good("backup", "--reason", "before-deploy", patience=2)
    shop.clouds.clear_faults()
    shop.good("backup", "--watch")
    assert len(shop.objects()) == 2
    assert shop.status()["name"] == shop.names()[-1]
    assert shop.status()["pending"] == []


@pytest.mark.long
def test_s3_that_is_busy_is_asked_again(shop: Stage) -> None:
    shop.clouds.fault("429", api="aws", action="s3:PutObject", times=2)
    shop.good("backup", patience=60)
    assert not shop.clouds.faults()


def test_a_wrong_key_is_told_at_once(shop: Stage) -> None:
    wrong = shop.root / "wrong.json"
    wrong.write_text(json.dumps({"id": "AKIAAAAAAAAAAAAAAAAA", "secret": "x" * 40}))
    started = time.monotonic()
    assert "Has the key of the bucket been changed?" in shop.bad("backup", key_file=str(wrong), patience=600)
    assert time.monotonic() - started < 300
    assert shop.status()["pending"] == shop.names()


@pytest.mark.parametrize(("code", "words"), [(1, "connection lost"), (0, "ended before the end")])
def test_pg_dump_that_ends_in_the_middle(shop: Stage, code: int, words: str) -> None:
    """The real dump through the real pipe, cut off; with 0 as well, because a pipe can end without anybody's fault."""
    tools = shop.root / "tools"
    tools.mkdir(exist_ok=True)
    ends = f'{DOCKER} "$@" | head -c 30000; {CUT}; exit {code}'
    cut = f'case "$*" in *--schema-only*) ;; *--snapshot*) {ends};; esac'
    (tools / "docker").write_text(f'#!/bin/sh\n{cut}\nexec {DOCKER} "$@"\n')
    (tools / "docker").chmod(0o755)
    shop.variables["PATH"] = f"{tools}:{os.environ['PATH']}"
    try:
        assert words in shop.bad("backup")
    finally:
        shop.variables.clear()
    nothing_counts(shop)


def test_a_dump_that_does_not_restore(shop: Stage) -> None:
    """pg_dump is content with it; only who loads it finds out."""
    shop.sql("CREATE TABLE zzz AS SELECT 1 AS n; CREATE MATERIALIZED VIEW broken AS SELECT 1 / (n - 2) AS q FROM zzz")
    shop.sql("UPDATE zzz SET n = 2")
    try:
        said = shop.bad("backup")
    finally:
        shop.sql("DROP MATERIALIZED VIEW broken; DROP TABLE zzz")
    assert "division by zero" in said
    nothing_counts(shop)


def test_a_full_disk(shop: Stage) -> None:
    small = shop.root / "small"
    small.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(small)], check=True)
    try:
        said = shop.bad("backup", folder=str(small))
        assert "MB free and a backup needs" in said
        # And one that fills up while it is written, whatever was free before.
        with pytest.raises(BackupError, match="No space left"):
            dumpfile.write(["head", "-c", "80000000", "/dev/urandom"], small / "neurmatic_x.sql.gz", 9, NotImplemented)
        assert not list(small.glob("neurmatic_*"))
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def test_a_killed_job_leaves_nothing_that_counts(shop: Stage) -> None:
    shop.good("backup")
    before = shop.status()
    for sent in (signal.SIGTERM, signal.SIGKILL):
        job = subprocess.Popen(shop.command("backup"), env=dict(shop.environment), stderr=subprocess.PIPE, text=True)
        assert job.stderr is not None
        for line in job.stderr:
            if "rows" in line:
                job.send_signal(sent)
                break
        job.communicate(timeout=60)
        assert shop.status()["name"] == before["name"]
    assert any("SIGTERM" in line for line in shop.told())
    shop.good("backup")
    assert len(shop.objects()) == 2
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=neurmatic.backup.trial={shop.settings['scratch']}"],
        capture_output=True,
        check=True,
    )
    assert not listed.stdout


@pytest.mark.long
def test_two_at_once_follow_each_other(shop: Stage) -> None:
    shop.write_settings({})
    jobs = [subprocess.Popen(shop.command("backup"), env=dict(shop.environment)) for _ in range(2)]
    assert [job.wait(200) for job in jobs] == [0, 0]
    assert len(shop.names()) == len(shop.objects()) == 2


@pytest.mark.long
def test_a_clock_that_goes_back_breaks_no_order(shop: Stage) -> None:
    shop.good("backup")
    (first,) = shop.names()
    later = "neurmatic_20991231_235959.sql.gz"
    for ending in ("sql.gz", "json"):
        old = shop.backups / f"{first.removesuffix('.sql.gz')}.{ending}"
        text = old.read_bytes().replace(first.encode(), later.encode()) if ending == "json" else old.read_bytes()
        (shop.backups / f"neurmatic_20991231_235959.{ending}").write_bytes(text)
    shop.good("backup")
    assert shop.names()[-1] == "neurmatic_21000101_000000.sql.gz"
    assert any("clock" in line for line in shop.told())


@pytest.mark.long
def test_what_was_missed_is_made(shop: Stage) -> None:
    shop.good("backup", "--watch")
    assert shop.names() == []
    long_ago = time.time() - 26 * 3600
    os.utime(shop.backups / ".since", (long_ago, long_ago))
    shop.good("backup", "--watch")
    assert len(shop.names()) == 1


def test_old_local_copies_go_and_what_is_not_in_the_bucket_stays(shop: Stage) -> None:
    shop.good("backup")
    (name,) = shop.names()
    note = json.loads((shop.backups / f"{name.removesuffix('.sql.gz')}.json").read_text())
    month = time.time() - 31 * 86400
    for day, uploaded in ((1, True), (2, False), (3, True), (4, True)):
        old = f"neurmatic_2026010{day}_020000"
        shutil.copy(shop.backups / name, shop.backups / f"{old}.sql.gz")
        os.utime(shop.backups / f"{old}.sql.gz", (month, month))
        changed = {"name": f"{old}.sql.gz", "object": "", "uploaded_at": note["uploaded_at"] if uploaded else ""}
        (shop.backups / f"{old}.json").write_text(json.dumps({**note, **changed}))
    wrong = shop.root / "nobody.json"
    wrong.write_text(json.dumps({"id": "AKIAAAAAAAAAAAAAAAAA", "secret": "x" * 40}))
    shop.bad("backup", "--watch", key_file=str(wrong))
    assert len(shop.names()) == 5
    shop.good("backup", "--watch")
    assert [each[10:18] for each in shop.names()] == ["20260103", "20260104", name[10:18]]
    assert len(shop.objects()) == 2


def test_a_database_without_tables_is_no_backup(shop: Stage) -> None:
    shop.sql("CREATE DATABASE bare", "postgres")
    try:
        assert "nothing to back up yet" in shop.good("backup", database="bare")
        assert shop.names() == []
    finally:
        shop.sql("DROP DATABASE bare", "postgres")
