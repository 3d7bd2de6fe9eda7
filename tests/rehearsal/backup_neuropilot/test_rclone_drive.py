"""The remote, by rclone itself: what counts there, what goes, and what it says when it is away or not let in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from neon_stage import TOOLS

from components.backup.onhost.drive import AT_ONCE, DriveVault
from components.backup.onhost.problem import AwayError, BackupError, RefusedError
from components.backup.onhost.settings import Drive, Settings
from components.backup.onhost.shelf import Note, Shelf

pytestmark = pytest.mark.rehearsal
ALIAS = "[onedrive]\ntype = alias\nremote = {}\n"


class Place:
    def __init__(self, root: Path) -> None:
        self.root, self.there = root, root / "remote" / "backups"
        self.config = root / "rclone.conf"
        self.config.write_text(ALIAS.format(root / "remote"))
        self.drive = Drive("onedrive:backups", str(self.config), str(root / "state" / "rclone.conf"), 30)
        given: Any = {name: str(root / name) for name in ("folder", "scratch", "log", "notify")}
        self.settings = Settings("neuropilot", "shop", "backup_user", **given, drive=self.drive)
        (root / "folder").mkdir()
        self.shelf = Shelf(self.settings.folder, "neuropilot", ".gpg")

    @property
    def vault(self) -> DriveVault:
        return DriveVault(self.settings, self.shelf, self.drive)

    def note(self, day: str, text: str = "sealed") -> Note:
        name = f"neuropilot_{day}_020000.sql.gz"
        note = Note(name, f"{day[:4]}-{day[4:6]}-{day[6:]}T02:00:00+00:00", "daily", 1, digest(text), "now")
        self.shelf.path(note).write_text(text)
        return self.shelf.keep(note)

    def stored(self, day: str) -> Note:
        return self.vault.store(self.note(day), 0)

    def lies(self, day: str) -> None:
        """As after a backup of that day."""
        note = self.note(day)
        path = self.shelf.path(note)
        self.there.mkdir(parents=True, exist_ok=True)
        (self.there / path.name).write_text("sealed")
        (self.there / f"{path.name}.sha256").write_text(f"{note.sha256}  {path.name}\n")
        self.shelf.keep(replace(note, object=path.name, uploaded_at="then"))

    def names(self) -> list[str]:
        return sorted(path.name for path in self.there.iterdir()) if self.there.is_dir() else []


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PATH", ":".join([*TOOLS, "/usr/bin", "/bin"]))
    return Place(tmp_path)


def test_what_lies_there_without_its_checksum_is_half_of_one(place: Place) -> None:
    note = place.stored("20261101")
    (place.there / "neuropilot_20261102_020000.sql.gz.gpg").write_text("hal")
    (place.there / "somebody's letter.docx").write_text("x")
    assert [each.key for each in place.vault.listed()] == [note.object]
    # The run that was cut off is done again, and then it counts.
    place.stored("20261102")
    assert [each.key for each in place.vault.listed()] == [note.object, "neuropilot_20261102_020000.sql.gz.gpg"]
    assert "somebody's letter.docx" in place.names()


def test_what_is_not_what_was_uploaded_does_not_count(place: Place) -> None:
    """Whole there, and other content: it is neither replaced nor taken for the backup."""
    note = place.stored("20261101")
    (place.there / note.object).write_text("other content")
    with pytest.raises(BackupError, match="not what was uploaded"):
        place.vault.store(note, 0)
    with pytest.raises(RefusedError, match="damaged"):
        place.vault.fetch(note.object, place.root / "fetched", print, False)
    (place.there / f"{note.object}.sha256").write_text("nonsense")
    with pytest.raises(RefusedError, match="no checksum"):
        place.vault.fetch(note.object, place.root / "fetched", print, False)
    assert not list(place.root.glob("fetched*"))


def test_old_ones_go_behind_a_new_one_and_never_the_newest(place: Place) -> None:
    days = ["20260801", "20260802", "20260803", "20261020", "20261110"]
    for day in days:
        place.lies(day)
    assert [line.split("_")[1] for line in place.vault.expire()] == days[:2]
    assert [name.split("_")[1] for name in place.names()[::2]] == days[2:]
    assert len(place.names()) == 6


def test_nothing_goes_unless_the_newest_there_is_one_that_was_read_back(place: Place) -> None:
    for day in ("20260801", "20260802", "20260803", "20260804", "20261110"):
        place.lies(day)
    for path in (place.root / "folder").iterdir():
        path.unlink()
    place.note("20261111")
    assert list(place.vault.expire()) == []
    assert len(place.names()) == 10


def test_a_clock_that_leaps_ahead_empties_nothing_at_once(place: Place) -> None:
    for day in range(1, 12):
        place.lies(f"202611{day:02}")
    place.lies("20991231")
    said = list(place.vault.expire())
    assert len(said) == AT_ONCE + 1
    assert "4 more are older" in said[-1]
    assert len(place.vault.listed()) == 12 - AT_ONCE


def test_a_remote_that_is_away_is_worth_another_try_and_a_wrong_secret_is_not(place: Place) -> None:
    note = place.note("20261101")
    (place.root / "remote").write_text("a file where the folder should be")
    with pytest.raises(AwayError):
        place.vault.store(note, 0)
    (place.root / "remote").unlink()
    assert place.vault.store(note, 0).complete
    for text in ("", "[other]\ntype = alias\n", "no configuration at all"):
        place.config.write_text(text)
        with pytest.raises(BackupError, match=r"no section \[onedrive\]"):
            place.vault.listed()


def test_tokens_that_rclone_renewed_stay_until_the_secret_changes(place: Place) -> None:
    """OneDrive takes each refresh token for a while: the one in the secret gets old."""
    working = Path(place.drive.working)
    place.stored("20261101")
    renewed = f"{ALIAS.format(place.root / 'remote')}token = renewed\n"
    working.write_text(renewed)
    place.stored("20261102")
    assert working.read_text() == renewed
    place.config.write_text(f"{ALIAS.format(place.root / 'remote')}token = set by hand\n")
    place.stored("20261103")
    assert "set by hand" in working.read_text()
    assert working.stat().st_mode & 0o777 == 0o600
