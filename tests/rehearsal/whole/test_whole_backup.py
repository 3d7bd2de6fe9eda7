"""On the whole stack: the unit that a deploy starts, the bucket with the key that the program made, and back again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rehearsal.clouds.servers import Clouds
from rehearsal.load import asking
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow, pytest.mark.long]
BACKUPS = "/opt/neurmatic/backups"
KEPT = "neurmatic_production_before_%"


@contextmanager
def reachable(whole: WholeStack) -> Iterator[Clouds]:
    """The emulated clouds answer on this machine's loopback: for the server, at its gateway as well."""
    clouds = whole.workspace.start_clouds()
    port = int(clouds.aws.rpartition(":")[2])
    listener = socket.create_server((whole.machine.address.rpartition(".")[0] + ".1", 0))
    threading.Thread(target=forward, args=(listener, port), daemon=True).start()
    address = f"AWS_ENDPOINT_URL_S3=http://{listener.getsockname()[0]}:{listener.getsockname()[1]}"
    # For what systemd starts, and for what a login starts.
    whole.machine.ssh(f"sudo systemctl set-environment {address}; echo {address} | sudo tee -a /etc/environment")
    try:
        yield clouds
    finally:
        whole.machine.ssh("sudo systemctl unset-environment AWS_ENDPOINT_URL_S3")
        whole.machine.ssh("sudo sed -i '/^AWS_ENDPOINT_URL_S3=/d' /etc/environment")
        listener.close()


def forward(listener: socket.socket, port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_deploys_backup_comes_back_by_one_command(whole: WholeStack) -> None:
    with reachable(whole) as clouds:
        whole.machine.ssh("sudo systemctl start neurmatic-backup-before-deploy.service")
        status = json.loads(whole.machine.ssh(f"cat {BACKUPS}/status.json").stdout)
        assert status["verified"] is True, status
        assert status["error"] == ""
        listed = whole.infra("backup", "--list")
        assert f"{status['name']}" in listed.stdout, listed.stdout + listed.stderr
        assert "in the bucket, and here" in listed.stdout
        assert clouds.pid

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
