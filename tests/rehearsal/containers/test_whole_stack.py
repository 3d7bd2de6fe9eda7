"""The production program on a machine: it comes up whole, changes its release under load, and stays without a diff."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops import engine
from ops.systems import secrets_of
from ops.target import PROJECTS
from rehearsal.load import Target, asking
from rehearsal.machine import Machine
from rehearsal.stack import Images, images_for
from rehearsal.workspace import WORKSPACES, Workspace

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]
API = "api.neurmatic.com"
NAME = "whole-stack"
ROOT = "/opt/neurmatic/infrastructure"


@dataclass
class Stack:
    machine: Machine
    images: Images
    release: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        """Reached from this machine instead of from Cloudflare; whatever else differs is in `rehearsal.stack`."""
        gateway = self.machine.address.rpartition(".")[0] + ".1/32"
        more = {
            "neurmatic:host": {"packages": ["docker.io", "ufw", "fail2ban"], "http_from": "everyone"},
            "neurmatic:edge": {"origin_pulls": False},
            "containers": {
                "nginx": {"trusted_proxies": [gateway]},
                "rolling": {"health_interval": "5s", "healthy_within": "40s", "soak": "12s"},
            },
        }
        settings = self.images.settings(self.release, **more)
        return Workspace(PROJECTS["neurmatic"], NAME, self.machine, settings)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        workspace = self.workspace
        environment = workspace.environment(engine.environment(os.environ, engine.ensure(lambda _: None)))
        workspace.prepare("production", environment, secrets_of("neurmatic"))
        command = ["pulumi", "--non-interactive", *arguments, "--stack", "production"]
        return subprocess.run(
            command, cwd=workspace.project, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    def up(self, version: str, **faults: str) -> subprocess.CompletedProcess[str]:
        self.release = self.images.release(version, **faults)
        return self.pulumi("up", "--yes", "--skip-preview")

    def target(self) -> Target:
        chain = self.machine.ssh(f"sudo cat {ROOT}/nginx/tls/fullchain.pem").stdout
        return Target(self.machine.address, 443, API, ssl.create_default_context(cadata=chain))

    def containers(self) -> dict[str, str]:
        listed = self.machine.ssh("sudo docker ps --all --format '{{.Names}} {{.Status}}'").stdout
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def ledger(self) -> dict[str, int]:
        query = "SELECT json_object_agg(key, attempts) FROM ledger"
        sql = f"psql -U neurmatic_prod -d neurmatic_production -Atc '{query}'"
        return dict(json.loads(self.machine.ssh(f"sudo docker exec neurmatic-postgres-production {sql}").stdout))


@pytest.fixture(scope="module")
def stack(boot: Callable[..., Machine]) -> Iterator[Stack]:
    shutil.rmtree(WORKSPACES / NAME, ignore_errors=True)
    machine = boot(NAME, memory_mb=5000, packages=("docker.io", "busybox-static"))
    with images_for(machine) as images:
        yield Stack(machine, images)
    shutil.rmtree(WORKSPACES / NAME)


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found = re.findall(r"^ +([+~-]+)(?:-)? ?(\d+) (?:to )?(\w+)", done.stdout, re.MULTILINE)
    return {word: int(count) for _, count, word in found}


def test_it_comes_up_whole_and_stays_as_it_is(stack: Stack) -> None:
    done = stack.up("1.4.2")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    running = stack.containers()
    assert len(running) == 6
    assert all("(healthy)" in status for status in running.values()), running
    with asking(stack.target()) as seen:
        while seen.total < 100:
            pass
    assert not seen.failed
    assert set(seen.answers) == {"1.4.2"}
    again = stack.pulumi("preview", "--refresh", "--expect-no-changes")
    assert again.returncode == 0, again.stdout[-3000:]


def test_a_release_replaces_another_and_nobody_notices(stack: Stack) -> None:
    before = stack.containers()
    with asking(stack.target(), "deploy") as seen:
        done = stack.up("1.4.3")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    after = stack.containers()
    assert not seen.failed
    assert seen.answers["1.4.2"] > 20
    assert seen.answers["1.4.3"] > 20
    assert {name for name in before if "backend" in name}.isdisjoint(after)
    assert len(after) == 6
    ledger = stack.ledger()
    assert not [key for key in seen.written if key not in ledger]


@pytest.mark.long
@pytest.mark.parametrize("fault", ["FAULT_CRASH_AT_START=1", "FAULT_DIE_AFTER=12"])
def test_a_bad_release_leaves_the_one_before_serving(stack: Stack, fault: str) -> None:
    name, _, value = fault.partition("=")
    with asking(stack.target(), name) as seen:
        done = stack.up("1.4.4", **{name: value})
    assert done.returncode != 0
    assert not seen.failed
    assert seen.answers["1.4.3"] > 20
    with asking(stack.target(), f"{name}-after") as seen:
        good = stack.up("1.4.3")
    assert good.returncode == 0, good.stdout[-3000:] + good.stderr
    assert not seen.failed
    assert len(stack.containers()) == 6
