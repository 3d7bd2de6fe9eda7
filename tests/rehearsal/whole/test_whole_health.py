"""Health, logs and old images on the whole stack, by the operator's verbs and the server's own timer."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rehearsal.pace import allowed
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]

SCRIPTS = f"{INSTALLED}/scripts"
OURS, OTHER = "ghcr.io/alexbaum-ai/neurm-backend", "somebody/else:1"


def looked(whole: WholeStack) -> tuple[int, Mapping[str, Any]]:
    done = whole.infra("health", "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def by_name(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in report["findings"]}


def vital(report: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in report["findings"] if each["level"] == "critical" and each["vital"]]


def until(look: Callable[[], object], wanted: object) -> None:
    """What has just started answers late on a busy machine; that it settles is what counts."""
    end = time.monotonic() + 240
    while (found := look()) != wanted:
        assert time.monotonic() < end, found


def watched(whole: WholeStack) -> bool:
    whole.machine.ssh("sudo systemctl start neurmatic-health.service")
    kept = json.loads(whole.machine.ssh("sudo cat /var/lib/neurmatic/health.json").stdout)
    return bool(kept["report"]["healthy"])


def test_the_stack_is_healthy_and_a_stopped_backend_is_named(whole: WholeStack) -> None:
    until(lambda: looked(whole)[0], 0)
    _, report = looked(whole)
    found = by_name(report)
    parts = ("api", "frontend", "postgres", "redis", "backend-1", "backend-2", "container nginx", "origin", "units")
    assert {name: found[name]["level"] for name in parts} == dict.fromkeys(parts, "ok"), report
    assert report["seconds"] < allowed(11)
    [name] = [each for each in whole.containers() if "-backend-1-" in each]
    whole.machine.ssh(f"sudo docker stop {name}")
    try:
        until(lambda: vital(looked(whole)[1]), ["container backend-1"])
        done = whole.infra("health")
        assert "NOT healthy" in done.stdout
        assert "container backend-1  is exited" in done.stdout
    finally:
        whole.machine.ssh(f"sudo docker start {name}")
    until(lambda: looked(whole)[0], 0)


def test_the_timer_looks_and_keeps_what_it_saw(whole: WholeStack) -> None:
    assert whole.machine.ssh("systemctl is-active neurmatic-health.timer neurmatic-cleanup.timer").returncode == 0
    until(lambda: watched(whole), True)


def test_logs_are_had_by_the_services_name(whole: WholeStack) -> None:
    both = whole.infra("logs", "backend", "-n", "3")
    assert both.returncode == 0, both.stderr
    assert {line.split(" | ")[0] for line in both.stdout.splitlines()} == {"backend-1", "backend-2"}
    one = whole.infra("logs", "postgres", "--since", "24h")
    assert "database system is ready to accept connections" in one.stdout
    unknown = whole.infra("logs", "mysql")
    assert unknown.returncode == 1
    assert "there is backend, backend-1, backend-2, frontend, nginx, postgres, redis." in unknown.stderr


def clean_up(whole: WholeStack, **settings: object) -> subprocess.CompletedProcess[str]:
    """The script that is on the server, with a copy of its settings in which these differ."""
    there = f"{SCRIPTS}/cleanup-images"
    told = {**json.loads(whole.machine.ssh(f"cat {there}.json").stdout), **settings}
    whole.machine.ssh(f"sudo install -d /run/cleanup && sudo cp {there} /run/cleanup")
    whole.machine.ssh("sudo tee /run/cleanup/cleanup-images.json >/dev/null", stdin=json.dumps(told))
    return whole.machine.ssh("sudo /run/cleanup/cleanup-images", check=False)


def test_old_images_go_and_what_a_rollback_needs_stays(whole: WholeStack) -> None:
    machine = whole.machine
    lines = machine.ssh(f"cat {INSTALLED}/nginx/releases.jsonl").stdout.splitlines()
    needed = {json.loads(line)[kind] for line in lines for kind in ("backend", "frontend")}
    assert needed
    for name in (f"{OURS}:0.0.1", OTHER):
        machine.ssh(f"tar c -T /dev/null | sudo docker import - {name} >/dev/null")
    try:
        young = clean_up(whole, kept_releases=20)
        assert young.returncode == 0, young.stderr
        assert OURS not in young.stdout, "what has just arrived may be what a deploy is about to use"
        machine.ssh("echo { | sudo tee /run/cleanup/history >/dev/null")
        broken = clean_up(whole, kept_releases=20, grace=0, history="/run/cleanup/history")
        assert broken.returncode == 1
        assert "Line 1 of /run/cleanup/history is no release: nothing was removed" in broken.stderr
        done = clean_up(whole, kept_releases=20, grace=0)
        assert f"removed {OURS}:0.0.1" in done.stdout
        there = machine.ssh(
            "sudo docker images --digests --format '{{.Repository}}@{{.Digest}} {{.Repository}}:{{.Tag}}'"
        )
        assert needed | {OTHER} <= set(there.stdout.split())
    finally:
        machine.ssh(f"sudo docker image rm {OTHER} {OURS}:0.0.1; sudo rm -rf /run/cleanup", check=False)
