"""The production program of Neurmatic on a rehearsal machine, as its operator runs it, and a look inside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops import engine
from ops.systems import secrets_of
from ops.target import PROJECTS
from rehearsal.load import Target
from rehearsal.machine import Machine
from rehearsal.stack import Images
from rehearsal.stackfile import laid_over
from rehearsal.workspace import ROOT, WORKSPACES, Workspace

API = "api.neurmatic.com"
INSTALLED = "/opt/neurmatic/infrastructure"
SECONDS = 600
PACKAGES = ("docker.io", "busybox-static", "age", "pigz")
"""What a machine is delivered with, so that an `up` does not wait for a package server."""


@dataclass
class WholeStack:
    """One stack on one machine. `settings` are laid over its stack file; change them, then `up` again."""

    machine: Machine
    images: Images
    name: str
    release: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def up(self, version: str, **faults: str) -> subprocess.CompletedProcess[str]:
        """With the release published first, as the application's pipeline does; a fault is baked into its image."""
        self.release = self.images.release(version, **faults)
        return self.pulumi("up", "--yes", "--skip-preview")

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        workspace, environment = self.prepared()
        command = ["pulumi", "--non-interactive", *arguments, "--stack", "production"]
        return run(command, workspace.project, environment)

    def infra(self, verb: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """A verb of `./infra`, on this rehearsal; what it writes into the stack file stays in force."""
        workspace, _ = self.prepared()
        place = ["--stack", "production", "--rehearsal", "--name", self.name]
        done = run([sys.executable, "-m", "ops", verb, *place, *arguments], ROOT, os.environ, answer)
        kept = workspace.kept
        self.release = kept.get("neurmatic:containers", {}).pop("release", self.release)
        self.settings = laid_over(self.settings, kept)
        return done

    def prepared(self) -> tuple[Workspace, dict[str, str]]:
        """Where the engine runs, and its environment."""
        workspace = self.workspace
        environment = workspace.environment(engine.environment(os.environ, engine.ensure(lambda _: None)))
        workspace.prepare("production", environment, secrets_of("neurmatic"))
        return workspace, environment

    @property
    def workspace(self) -> Workspace:
        """Reached from this machine instead of from Cloudflare; whatever else differs is in `rehearsal.stack`."""
        gateway = self.machine.address.rpartition(".")[0] + ".1/32"
        there = {
            "neurmatic:host": {"packages": ["docker.io", "ufw", "fail2ban"], "http_from": "everyone"},
            "neurmatic:edge": {"origin_pulls": False},
            "containers": {
                "nginx": {"trusted_proxies": [gateway]},
                "rolling": {"health_interval": "5s", "healthy_within": "120s", "soak": "12s"},
            },
        }
        settings = laid_over(self.images.settings(self.release, **there), self.settings)
        return Workspace(PROJECTS["neurmatic"], self.name, self.machine, settings)

    def target(self) -> Target:
        """Where a load client asks for the API."""
        chain = self.machine.ssh(f"sudo cat {INSTALLED}/nginx/tls/fullchain.pem").stdout
        return Target(self.machine.address, 443, API, chain)

    def containers(self) -> dict[str, str]:
        """All of them, also stopped ones: name and status."""
        listed = self.machine.ssh("sudo docker ps --all --format '{{.Names}} {{.Status}}'").stdout
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def ledger(self) -> Mapping[str, int]:
        """What the application has written down, and how often each key was tried."""
        query = "SELECT coalesce(json_object_agg(key, attempts), '{}') FROM ledger"
        return dict(json.loads(self.sql(query)))

    def sql(self, query: str) -> str:
        """By the database's own client, inside its container."""
        ask = "sudo docker exec -i neurmatic-postgres-production psql -U neurmatic_prod -d neurmatic_production -At"
        return self.machine.ssh(ask, stdin=query).stdout.strip()

    def forget(self) -> None:
        """State and clouds of this rehearsal; the machine is whose it is."""
        shutil.rmtree(WORKSPACES / self.name, ignore_errors=True)


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], answer: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, input=answer, capture_output=True, text=True, timeout=SECONDS, check=False
    )
