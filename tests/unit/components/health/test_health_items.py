"""What the server is given: its own readers accept it, and its figures are the product's."""

from __future__ import annotations

import functools
import json
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.alerts import DaysLeft, NeurmaticAlerts, alerts_rise
from components.containers import cleanup
from components.health.items import items, told
from components.host.items import File, Item
from components.host.jobs import VERIFY
from components.notify import items as notify
from neurmatic.settings import NeurmaticSettings
from neurmatic.watched import watched
from ops.stackcheck import check_file
from ops.target import ROOT


@functools.cache
def settings(stack: str = "production") -> NeurmaticSettings:
    found = check_file(ROOT / f"Pulumi.{stack}.yaml", rehearsal=True).settings
    assert isinstance(found, NeurmaticSettings)
    return found


def files(of: Sequence[Item]) -> dict[str, File]:
    return {item.path: item for item in of if isinstance(item, File)}


def everything() -> dict[str, File]:
    given = settings()
    told_people = notify.items(given.backup.notify, "neurmatic production", "/opt/neurmatic", "a@example.com", 3600)
    return files([*items(watched(given)), *cleanup.items(given.containers, "/opt/neurmatic"), *told_people])


def test_the_figures_are_those_of_the_product() -> None:
    data = told(watched(settings()))
    assert data["limits"]["connections"]["warning"] * 200 == 180
    assert data["limits"]["connections"]["critical"] * 200 == 195
    assert data["redis"]["maxmemory"] * data["limits"]["redis_memory"]["warning"] == pytest.approx(1843, abs=1)
    assert data["healthy"] == {"disk_used": 0.9, "memory_free": 0.1}
    assert data["limits"]["disk"] == {"warning": 0.85, "critical": 0.95}
    assert data["pages"]["api"] == ["api.neurmatic.com", "/api/v1/health/ready"]
    assert told(watched(settings("staging")))["names"] == "neurmatic-{service}-staging"


def test_no_secret_is_in_what_everybody_can_read() -> None:
    """Files that hold one are named, and no more."""
    for path, item in everything().items():
        assert "hooks.slack.com" not in str(item.content), path
        assert item.mode in ("0644", "0755"), path


def placed(folder: Path, found: dict[str, File]) -> dict[str, Path]:
    """As on a server, below a folder."""
    there = {}
    for path, item in found.items():
        at = folder / path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(str(item.content).replace("/opt/neurmatic", f"{folder}/opt/neurmatic"))
        at.chmod(int(item.mode, 8))
        there[path] = at
    return there


def test_every_script_starts_by_itself(tmp_path: Path) -> None:
    """From the shipped files alone: the checkout is out of reach."""
    there = placed(tmp_path, everything())
    scripts = [at for path, at in there.items() if path.endswith(("/health-check.sh", "/logs", "/cleanup-images"))]
    assert len(scripts) == 3
    for at in [*scripts, there["/opt/neurmatic/infrastructure/scripts/notify"]]:
        assert at.stat().st_mode & stat.S_IXUSR
        done = subprocess.run([str(at), "--help"], cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "usage:" in done.stdout
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_script_without_its_settings_is_a_sentence(tmp_path: Path) -> None:
    there = placed(tmp_path, everything())
    for path, at in there.items():
        if path.endswith(".json"):
            at.unlink()
    for path, arguments in (("health-check.sh", []), ("logs", ["nginx"]), ("cleanup-images", []), ("notify", ["x"])):
        at = there[f"/opt/neurmatic/infrastructure/scripts/{path}"]
        done = subprocess.run([str(at), *arguments], cwd="/", capture_output=True, text=True, check=False, input="")
        assert done.returncode in (1, 2)
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "Traceback" not in done.stderr


def test_shell_and_units_are_accepted_by_their_readers(tmp_path: Path) -> None:
    there = placed(tmp_path, everything())
    shell = [at for at in there.values() if at.read_text().startswith("#!/bin/sh")]
    assert len(shell) == 2
    subprocess.run([ROOT / ".venv" / "bin" / "shellcheck", *shell], check=True)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here; the server's own reads each unit before it lands")
    units = [at for path, at in there.items() if path.startswith("/etc/systemd/system/")]
    assert len(units) == 4
    for at in units:
        argv = [word.replace("{candidate}", str(at)) for word in VERIFY.argv]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_every_unit_and_script_has_its_reader() -> None:
    for path, item in everything().items():
        assert path.endswith(".json") or item.reader is not None, path


def test_settings_are_json() -> None:
    for path, item in everything().items():
        if path.endswith(".json"):
            json.loads(str(item.content))


def test_a_certificates_warning_comes_before_its_alarm() -> None:
    alerts = NeurmaticAlerts(certificate=DaysLeft(warning=5, critical=7))
    [mistake] = alerts_rise(alerts)
    assert mistake.path == ("alerts", "certificate", "warning")
    assert "allowed is more than critical, 7" in mistake.text
