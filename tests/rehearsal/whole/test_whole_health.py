"""Health, logs and old images on the whole stack, by the operator's verbs and the server's own timer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]

SCRIPTS = f"{INSTALLED}/scripts"
OURS = "ghcr.io/alexbaum-ai/neurm-backend"


def looked(whole: WholeStack) -> tuple[int, Mapping[str, Any]]:
    done = whole.infra("health", "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def by_name(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in report["findings"]}


def test_the_stack_is_healthy_and_a_stopped_backend_is_named(whole: WholeStack) -> None:
    status, report = looked(whole)
    found = by_name(report)
    assert status == 0, report
    parts = ("api", "frontend", "postgres", "redis", "backend-1", "backend-2", "container nginx", "origin", "units")
    assert {name: found[name]["level"] for name in parts} == dict.fromkeys(parts, "ok"), report
    assert report["seconds"] < 11
    [name] = [each for each in whole.containers() if "-backend-1-" in each]
    whole.machine.ssh(f"sudo docker stop {name}")
    try:
        status, report = looked(whole)
        assert status == 1
        vital = [each["name"] for each in report["findings"] if each["level"] == "critical" and each["vital"]]
        assert vital == ["container backend-1"]
        done = whole.infra("health")
        assert "NOT healthy" in done.stdout
        assert "container backend-1  is exited" in done.stdout
    finally:
        whole.machine.ssh(f"sudo docker start {name}")
    end = time.monotonic() + 60
    while looked(whole)[0] != 0:
        assert time.monotonic() < end


def test_the_timer_looks_and_keeps_what_it_saw(whole: WholeStack) -> None:
    assert whole.machine.ssh("systemctl is-active neurmatic-health.timer neurmatic-cleanup.timer").returncode == 0
    whole.machine.ssh("sudo systemctl start neurmatic-health.service")
    kept = json.loads(whole.machine.ssh("sudo cat /var/lib/neurmatic/health.json").stdout)
    assert kept["report"]["healthy"], kept


def test_logs_are_had_by_the_services_name(whole: WholeStack) -> None:
    both = whole.infra("logs", "backend", "-n", "3")
    assert both.returncode == 0, both.stderr
    assert {line.split(" | ")[0] for line in both.stdout.splitlines()} == {"backend-1", "backend-2"}
    one = whole.infra("logs", "postgres", "--since", "24h")
    assert "database system is ready to accept connections" in one.stdout
    unknown = whole.infra("logs", "mysql")
    assert unknown.returncode == 1
    assert "there is backend, backend-1, backend-2, frontend, nginx, postgres, redis." in unknown.stderr


def test_old_images_go_and_what_a_rollback_needs_stays(whole: WholeStack) -> None:
    machine = whole.machine
    before = set(machine.ssh("sudo docker images --digests --format '{{.Repository}}@{{.Digest}}'").stdout.split())
    machine.ssh(f"head -c 1024 /dev/zero | tar c -T /dev/null | sudo docker import - {OURS}:0.0.1 >/dev/null")
    machine.ssh("tar c -T /dev/null | sudo docker import - somebody/else:1 >/dev/null")
    try:
        kept = machine.ssh(f"sudo {SCRIPTS}/cleanup-images").stdout
        assert f"removed {OURS}:0.0.1" not in kept, "it has just arrived"
        machine.ssh(
            f"sudo install -d /run/cleanup && sudo cp {SCRIPTS}/cleanup-images* /run/cleanup"
            ' && sudo sed -i \'s/"grace": [0-9]*/"grace": 0/\' /run/cleanup/cleanup-images.json'
        )
        said = machine.ssh("sudo /run/cleanup/cleanup-images").stdout
        assert f"removed {OURS}:0.0.1" in said
        after = set(machine.ssh("sudo docker images --digests --format '{{.Repository}}@{{.Digest}}'").stdout.split())
        assert before <= after, before - after
        assert "somebody/else@<none>" in after
        broken = machine.ssh(
            "sudo sh -c 'cp /run/cleanup/cleanup-images.json /run/cleanup/kept && echo { > /run/cleanup/history"
            ' && sed -i "s#\\"history\\": \\"[^\\"]*\\"#\\"history\\": \\"/run/cleanup/history\\"#"'
            " /run/cleanup/cleanup-images.json && /run/cleanup/cleanup-images'",
            check=False,
        )
        assert broken.returncode == 1
        assert "is no release: nothing was removed" in broken.stderr
    finally:
        machine.ssh("sudo docker image rm somebody/else:1; sudo rm -rf /run/cleanup", check=False)
