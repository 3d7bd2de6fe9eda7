"""Each part is broken once: the check names exactly that, and is content again when it works."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from health_stage import MOST, HealthStage

from components.notify.items import SCRIPT
from rehearsal.docker import docker
from rehearsal.pace import allowed
from rehearsal.sinks.webhook import start_webhook

pytestmark = [pytest.mark.rehearsal, pytest.mark.slow]


@contextmanager
def stopped(product: HealthStage, *services: str) -> Iterator[None]:
    found = [product.running[service].id for service in services]
    docker("stop", "--time", "1", *found)
    try:
        yield
    finally:
        docker("start", *found)
        product.settings["port"] = product.running["nginx"].published(443)
        product.until_well()


@contextmanager
def paused(product: HealthStage, service: str) -> Iterator[None]:
    """It hangs, and says nothing."""
    docker("pause", product.running[service].id)
    try:
        yield
    finally:
        docker("unpause", product.running[service].id)
        product.until_well()


def test_redis_is_stopped(product: HealthStage) -> None:
    with stopped(product, "redis"):
        wrong = product.until_wrong("container redis", "backend-1", "backend-2")
        assert "is exited" in wrong["container redis"]
        assert "redis unhealthy" in wrong["backend-1"]


def test_redis_hangs(product: HealthStage) -> None:
    with paused(product, "redis"):
        began = time.monotonic()
        wrong = product.wrong()
        assert time.monotonic() - began < allowed(13)
        assert wrong["redis"].startswith("does not answer")


def test_a_backend_has_died(product: HealthStage) -> None:
    """nginx leads visitors to the other one."""
    with stopped(product, "backend-2"):
        product.until_wrong("container backend-2")
        assert not product.report()["healthy"]


@pytest.mark.long
def test_a_backend_hangs(product: HealthStage) -> None:
    with paused(product, "backend-1"):
        assert product.wrong()["backend-1"] == "does not answer within 3 s"


@pytest.mark.long
def test_nginx_is_stopped(product: HealthStage) -> None:
    with stopped(product, "nginx"):
        product.until_wrong("container nginx", "api", "frontend")


def test_nginx_lets_in_the_edge_alone(product: HealthStage) -> None:
    """The check shows the certificate that it was given; without one it is a stranger."""
    wrong = product.until_wrong("api", "frontend", client="")
    assert wrong["api"].endswith("answered 400")


def test_all_connections_are_used_up(product: HealthStage) -> None:
    """Also those that are kept for a superuser."""
    ask = ["docker", "exec", "--interactive", product.running["postgres"].id, "psql", "-U", "postgres"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Each holds its connection until it is told that nothing more will be asked.
    held = [subprocess.Popen(ask, stdin=subprocess.PIPE, **quiet) for _ in range(MOST)]  # type: ignore[call-overload]
    try:
        wrong: dict[str, str] = {}
        end = time.monotonic() + 120
        while not wrong.get("connections", "").startswith("all") and time.monotonic() < end:
            wrong = product.wrong()
        assert wrong["connections"] == "all database connections are in use, not one is left: the API fails"
        assert "postgres" not in wrong
    finally:
        for one in held:
            one.communicate()
        product.until_well()


def test_more_connections_than_allowed_are_a_warning(product: HealthStage) -> None:
    limits = {**product.settings["limits"], "connections": {"warning": 0.1, "critical": 0.9}}
    product.until_wrong("connections", limits=limits)
    assert product.report(limits=limits)["healthy"]


def test_redis_is_full(product: HealthStage) -> None:
    """Beside a limit of a megabyte."""
    small = {**product.settings["redis"], "maxmemory": 1}
    wrong = product.until_wrong("redis memory", redis=small)
    assert "of 1 MB are in use" in wrong["redis memory"]


def test_a_disk_is_full(product: HealthStage, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(disk)], check=True)
    try:
        for megabytes, level, healthy in ((5, "ok", True), (8.7, "warning", True), (9.2, "critical", False)):
            (disk / "filled").write_bytes(b"x" * int(megabytes * (1 << 20)))
            report = product.report(disks=[str(disk)])
            [finding] = [each for each in report["findings"] if each["name"] == f"disk {disk}"]
            assert (finding["level"], report["healthy"]) == (level, healthy), finding
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_newest_backup_is_old(product: HealthStage) -> None:
    path = Path(product.settings["backup_status"])
    path.parent.mkdir(exist_ok=True)
    verified = datetime.now(timezone.utc) - timedelta(hours=40)
    path.write_text(json.dumps({"last_verified": verified.isoformat(), "verified": True, "error": "S3 said 403"}))
    try:
        wrong = product.until_wrong("backup")
        assert "is 40.0 h old, allowed are 36 h. The last one failed: S3 said 403" in wrong["backup"]
    finally:
        path.unlink()


def test_the_engine_hangs(product: HealthStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\nexec sleep 100\n")
    fake.chmod(0o755)
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(tmp_path), prepend=":")
        began = time.monotonic()
        report = product.report()
        assert time.monotonic() - began < allowed(12)
    docker_says = [each for each in report["findings"] if each["name"] == "docker"]
    assert "docker did not answer within 3 s" in docker_says[0]["text"]
    assert not report["healthy"]
    # What visitors see is still known.
    assert {each["name"]: each["level"] for each in report["findings"]}["api"] == "ok"


@pytest.mark.long
def test_visitors_see_errors(product: HealthStage) -> None:
    """The access log of the nginx that ships is what is read; pages have no limit, the API lets 20 in at once."""
    ask(product, "neurmatic.com", 60)
    calm = product.report(window=300)
    [rate] = [each for each in calm["findings"] if each["name"] == "error rate"]
    assert rate["value"] < 0.05, rate
    with stopped(product, "backend-1", "backend-2"):
        ask(product, "api.neurmatic.com", 20)
        [rate] = [each for each in product.report(window=300)["findings"] if each["name"] == "error rate"]
    # Ten at once are let in by the limit of connections: those fail, the others are told to wait.
    assert rate["level"] in ("warning", "critical"), rate
    assert rate["value"] > 0.05


def ask(product: HealthStage, host: str, count: int) -> None:
    port = product.settings["port"]
    place = ["--resolve", f"{host}:{port}:127.0.0.1", "--cert", product.settings["client"]]
    wanted = [word for number in range(count) for word in (f"https://{host}:{port}/x{number}", "--output", "/dev/null")]
    subprocess.run(["curl", "--silent", "--insecure", "--parallel", *place, *wanted], check=True)


@pytest.mark.long
def test_people_are_told_of_changes_alone(product: HealthStage, tmp_path: Path) -> None:
    sink = start_webhook(tmp_path / "slack")
    (tmp_path / "url").write_text(sink.url)
    told: dict[str, Any] = {
        "stack": "neurmatic test",
        "slack": str(tmp_path / "url"),
        "smtp": None,
        "sender": "a@example.com",
        "to": [],
        "remind_after": 3600,
        "hourly": 20,
        "state": str(tmp_path / "notify-state.json"),
    }
    script = tmp_path / "notify"
    script.write_text(SCRIPT.read_text())
    script.chmod(0o755)
    (tmp_path / "notify.json").write_text(json.dumps(told))
    settings = {"notify": str(script), "state": str(tmp_path / "health.json")}
    try:
        product.check("--watch", **settings)
        with stopped(product, "redis"):
            for _ in range(4):
                assert product.check("--watch", **settings).returncode == 0
        for _ in range(4):
            product.check("--watch", **settings)
    finally:
        sink.stop()
    said = [call.json["text"] for call in sink.calls()]
    assert len(said) == 2, said
    assert said[0].startswith("*CRITICAL* neurmatic test on ")
    assert "critical: container redis: is exited" in said[0]
    assert said[1].startswith("*RESOLVED*")
    kept = json.loads((tmp_path / "health.json").read_text())
    assert kept["report"]["healthy"]
    assert kept["alarms"] == {}
