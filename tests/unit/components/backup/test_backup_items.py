"""What backups put on a server, as data: complete, readable, and without a secret."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.backup import items as backup
from components.backup.onhost.settings import Migration, Settings, read
from components.host.items import File, Item, Unit
from components.settings import parse
from neurmatic.backups import runner
from neurmatic.settings import NeurmaticSettings
from ops.stackfile import read as read_stack

ROOT = Path(__file__).resolve().parents[4]
SCRIPTS = "/opt/neurmatic/infrastructure/scripts"


@pytest.fixture(scope="module")
def wanted() -> tuple[Item, ...]:
    config = read_stack(ROOT / "Pulumi.production.yaml").data["config"]
    plain = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neurmatic:")}
    return backup.items(runner(parse(NeurmaticSettings, plain, rehearsal=True)))


@pytest.fixture(scope="module")
def files(wanted: tuple[Item, ...]) -> dict[str, str]:
    return {item.path: item.content or "" for item in wanted if isinstance(item, File)}


def test_the_scripts_run_where_nothing_of_this_checkout_is(files: dict[str, str], tmp_path: Path) -> None:
    """All modules that they import come along."""
    for path, text in files.items():
        if path.startswith(SCRIPTS):
            target = tmp_path / path.removeprefix(f"{SCRIPTS}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    for verb in ("backup", "restore"):
        argv = [sys.executable, "-B", "-s", "-m", "components.backup.onhost", verb, "--help"]
        done = subprocess.run(
            argv, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "lib")}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"{verb}.sh" in done.stdout
        subprocess.run(["sh", "-n", str(tmp_path / f"{verb}.sh")], check=True)


def test_they_read_the_settings_that_they_are_sent(files: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    path.write_text(files[f"{SCRIPTS}/backup.json"])
    told = read(path)
    assert isinstance(told, Settings)
    assert (told.database, told.container) == ("neurmatic_production", "neurmatic-postgres-production")
    assert (told.bucket, told.prefix) == ("neurmatic-backups", "database/")
    assert (told.folder, told.local_kept, told.compression) == ("/opt/neurmatic/backups", 30, 9)
    assert isinstance(told.migration, Migration)
    assert told.migration.command == ("npx", "prisma", "migrate", "deploy")
    unknown = set(json.loads(path.read_text())) - set(Settings.__dataclass_fields__)
    assert not unknown


def test_the_daily_timer_is_in_utc_and_makes_up_for_a_night_off(files: dict[str, str]) -> None:
    timer = files["/etc/systemd/system/neurmatic-backup.timer"]
    assert "OnCalendar=*-*-* 02:00:00 UTC\n" in timer
    assert "Persistent=true\n" in timer
    service = files["/etc/systemd/system/neurmatic-backup-before-deploy.service"]
    assert "Type=oneshot\n" in service
    assert f"ExecStart={SCRIPTS}/backup.sh --reason before-deploy\n" in service


def test_timers_run_and_nothing_starts_at_once(wanted: tuple[Item, ...]) -> None:
    units = {item.name for item in wanted if isinstance(item, Unit)}
    assert units == {f"neurmatic-backup{each}.timer" for each in ("", "-drill", "-watch")}


def test_a_program_comes_before_what_starts_it(wanted: tuple[Item, ...]) -> None:
    """systemd's own reader looks for it."""
    paths = [item.path for item in wanted if isinstance(item, File)]
    first_unit = next(n for n, path in enumerate(paths) if path.startswith("/etc/systemd"))
    assert all(not path.startswith(SCRIPTS) for path in paths[first_unit:])


def test_the_key_of_the_bucket_is_in_no_item(wanted: tuple[Item, ...]) -> None:
    text = repr(wanted)
    assert "infrastructure/secrets/backup/bucket.json" in text
    assert not [item for item in wanted if isinstance(item, File) and "/secrets/" in item.path]


def test_no_text_looks_like_a_credential(files: dict[str, str]) -> None:
    """It would be in the plain inputs of the converge: the policies stop an `up` that has one."""
    for path, text in files.items():
        assert not re.search(r"://[^/\s:@\"']*:[^/\s@$\"'{}]+@|BEGIN [A-Z ]*PRIVATE KEY", text), path


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"system": 1}'])
def test_settings_that_do_not_fit_are_a_sentence(tmp_path: Path, text: Any) -> None:
    from components.backup.onhost.problem import BackupError  # noqa: PLC0415

    path = tmp_path / "backup.json"
    path.write_text(text)
    with pytest.raises(BackupError, match=r"`\./infra up` writes"):
        read(path)
