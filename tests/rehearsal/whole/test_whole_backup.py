"""On the whole stack: the unit that a deploy starts, the bucket with the key that the program made, and back again."""

from __future__ import annotations

import json

import pytest

from rehearsal.drill.bucket import reachable
from rehearsal.load import asking
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.engine,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(1200),
]
BACKUPS = "/opt/neurmatic/backups"
KEPT = "neurmatic_production_before_%"


def test_a_deploys_backup_comes_back_by_one_command(whole: WholeStack) -> None:
    with reachable(whole.workspace, whole.machine):
        whole.machine.ssh("sudo systemctl start neurmatic-backup-before-deploy.service")
        status = json.loads(whole.machine.ssh(f"cat {BACKUPS}/status.json").stdout)
        assert status["verified"] is True, status
        assert status["error"] == ""
        listed = whole.infra("backup", "--list")
        assert f"{status['name']}" in listed.stdout, listed.stdout + listed.stderr
        assert "in the bucket, and here" in listed.stdout

        whole.sql("CREATE TABLE written_afterwards (n int)")
        before = whole.containers()
        refused = whole.infra("restore", status["name"], answer="no\n")
        assert refused.returncode == 1
        restored = whole.infra("restore", status["name"], answer="neurmatic_production\n")
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert "The migrations of the running release are there" in restored.stderr
    assert whole.sql("SELECT to_regclass('written_afterwards') IS NULL") == "t"
    (kept,) = whole.sql(f"SELECT datname FROM pg_database WHERE datname LIKE '{KEPT}'").split()  # noqa: S608
    with asking(whole.target(), "restored") as seen:
        while seen.total < 50:
            pass
    assert not seen.failed
    assert whole.containers().keys() == before.keys()
    whole.sql(f"DROP DATABASE {kept}")


def test_the_timer_waits_for_its_time(whole: WholeStack) -> None:
    listed = whole.machine.ssh("systemctl list-timers --all --no-legend 'neurmatic-backup*'").stdout
    assert "02:00:00 UTC" in listed
    key = whole.machine.ssh(f"sudo stat -c '%a %U' {INSTALLED}/secrets/backup/bucket.json").stdout
    assert key.strip() == "400 root"
