"""Names, ages and notes of the backups on a server."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from components.backup.onhost.problem import BackupError
from components.backup.onhost.shelf import Note, Shelf, iso

NOON = datetime.datetime(2026, 11, 21, 12, 0, 0, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(str(tmp_path), "neurmatic")


def backup(shelf: Shelf, taken: datetime.datetime, *, uploaded: bool = True) -> Note:
    name = f"neurmatic_{taken:%Y%m%d_%H%M%S}.sql.gz"
    (shelf.folder / name).write_bytes(b"x")
    note = Note(name, iso(taken), "daily", 1, "0" * 64, iso(taken), iso(taken) if uploaded else "")
    return shelf.keep(note)


def test_a_name_is_the_time(shelf: Shelf) -> None:
    assert shelf.next_name(NOON) == ("neurmatic_20261121_120000.sql.gz", False)


def test_two_in_one_second_have_two_names_and_that_is_no_jump(shelf: Shelf) -> None:
    backup(shelf, NOON)
    assert shelf.next_name(NOON) == ("neurmatic_20261121_120001.sql.gz", False)


def test_a_clock_that_went_back_is_noticed_and_breaks_no_order(shelf: Shelf) -> None:
    backup(shelf, NOON)
    assert shelf.next_name(NOON - HOUR) == ("neurmatic_20261121_120001.sql.gz", True)


def test_only_what_is_in_the_bucket_is_a_success(shelf: Shelf) -> None:
    backup(shelf, NOON - HOUR)
    backup(shelf, NOON, uploaded=False)
    shelf.publish("S3 is away")
    status = json.loads((shelf.folder / "status.json").read_text())
    assert status["last_success"] == iso(NOON - HOUR)
    assert status["error"] == "S3 is away"
    assert status["pending"] == ["neurmatic_20261121_120000.sql.gz"]


@pytest.mark.parametrize(
    ("age", "words"),
    [(HOUR, ""), (40 * HOUR, "40 hours old"), (-2 * HOUR, "from the future: compare the server's clock")],
)
def test_silence(shelf: Shelf, age: datetime.timedelta, words: str) -> None:
    backup(shelf, NOON - age)
    said = shelf.silence(36 * 3600, NOON)
    assert (words in said) if words else (not said)


def test_a_new_server_is_not_blamed_before_its_first_backup_is_due(shelf: Shelf) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    assert not shelf.silence(36 * 3600, now)
    assert "There is no backup" in shelf.silence(36 * 3600, now + 37 * HOUR)
    assert shelf.missed(now + 26 * HOUR, 25 * 3600)
    assert not shelf.missed(now + HOUR, 25 * 3600)


def test_a_note_without_its_dump_counts_for_nothing(shelf: Shelf) -> None:
    note = backup(shelf, NOON)
    shelf.path(note).unlink()
    (shelf.folder / "neurmatic_20261121_130000.json").write_text("{half")
    assert shelf.notes() == []


def test_the_newest_are_kept_whatever_the_clock_says(shelf: Shelf) -> None:
    for hours in range(6):
        note = backup(shelf, NOON - hours * HOUR, uploaded=hours != 4)
        os.utime(shelf.path(note), (0, 0))
    gone = shelf.prune(30, NOON.timestamp() + 10**9)
    assert gone == ["neurmatic_20261121_070000.sql.gz", "neurmatic_20261121_090000.sql.gz"]


def test_a_second_job_does_not_wait_for_ever(shelf: Shelf) -> None:
    with shelf.locked():
        other = Shelf(str(shelf.folder), "neurmatic")
        with pytest.raises(BackupError, match="at work"), other.locked(0.1):
            pass
