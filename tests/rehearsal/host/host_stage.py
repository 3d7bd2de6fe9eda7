"""A machine and a program with nothing but a VpsHost: converged by the engine, or by the same commands over SSH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.host import remote, report
from components.host.config import HostSettings
from components.host.items import Desired
from components.host.report import Report
from ops import engine
from rehearsal.machine import Machine, container
from rehearsal.workspace import WORKSPACES, Workspace, server_on

PROGRAM = """
import os
import pulumi
from components.host.component import VpsHost, VpsHostArgs
from components.host.config import HostSettings
from components.host.items import Desired

settings = HostSettings.model_validate(pulumi.Config("neurmatic").require_object("host"))
host = VpsHost("vps", VpsHostArgs(settings, drift=os.environ.get("INFRA_HOST_DRIFT", "")))
pulumi.export("docker_host", host.docker_host)
"""
# The image that other rehearsals use as well, so that nothing large is installed anew.
IMAGE = ("docker.io", "busybox-static")
# Without what takes a minute to install and changes nothing here.
PACKAGES = ("docker.io", "ufw", "fail2ban", "wget")


@dataclass
class HostStage:
    machine: Machine
    folder: Path
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The host section of the stack file."""
        server = server_on(self.machine)
        base = {
            "address": server.address,
            "ipv4": "192.0.2.10",
            "ssh": {"user": server.user, "host_key": " ".join(server.host_key.split()[:2])},
            "deploy": {"keys": [server.public_key]},
            "packages": list(PACKAGES),
        }
        return {**base, **self.given}

    @property
    def settings(self) -> HostSettings:
        return HostSettings.model_validate_json(json.dumps(self.data))

    @property
    def workspace(self) -> Workspace:
        self.folder.mkdir(parents=True, exist_ok=True)
        project = {"name": "neurmatic", "runtime": {"name": "python", "options": {}}}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        (self.folder / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": {"neurmatic:host": self.data}}))
        (self.folder / "__main__.py").write_text(PROGRAM)
        return Workspace(self.folder, f"host-{self.machine.name}", self.machine)

    def pulumi(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        workspace = self.workspace
        base = engine.environment(os.environ, engine.ensure(lambda _: None))
        chosen = {**workspace.environment(base), **environment}
        workspace.prepare("test", chosen, [])
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments, "--stack", "test"],
            cwd=workspace.project,
            env=chosen,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def up(self, **environment: str) -> dict[str, int]:
        """How many resources were changed in which way."""
        done = self.pulumi("up", "--yes", "--skip-preview", "--json", **environment)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return summary(done.stdout)

    def over_ssh(self, command: str, stdin: str, seconds: float = 300) -> tuple[Report, float, str]:
        started = time.monotonic()
        done = self.machine.ssh(command, stdin=stdin, timeout=seconds, check=False)
        took = time.monotonic() - started
        try:
            return report.parse(done.stdout), took, done.stderr
        except report.ReportError as error:
            raise AssertionError(f"{error} Exit {done.returncode}: {done.stderr[-2000:]}") from None

    def apply(self) -> Report:
        found, _, _ = self.over_ssh(*remote.apply_command(self.settings))
        if found.confirm:
            self.confirm(found.confirm)
        return found

    def apply_as(self, desired: Desired) -> Report:
        """Another desired state than the settings say; without the second login."""
        command, stdin = remote.apply_command(self.settings)
        loader, pack, _ = stdin.splitlines()
        found, _, _ = self.over_ssh(command, f"{loader}\n{pack}\n{remote.encode(desired)}\n")
        return found

    def check(self) -> Report:
        found, _, _ = self.over_ssh(*remote.check_command(self.settings))
        return found

    def root(self, script: str, *, check: bool = True, seconds: float = 120) -> str:
        return self.machine.ssh("sudo sh -e -s", stdin=script, check=check, timeout=seconds).stdout

    def confirm(self, token: str) -> None:
        command, stdin = remote.confirm_command(token)
        self.machine.ssh(command, stdin=stdin)

    def stop_and_start(self) -> None:
        """Like the provider's console; nobody waits for a login, which may be refused."""
        container.docker("restart", "--time", "30", self.machine.record.container)

    def remove(self) -> None:
        shutil.rmtree(WORKSPACES / f"host-{self.machine.name}", ignore_errors=True)


def summary(output: str) -> dict[str, int]:
    changes: Mapping[str, int] = {}
    for line in output.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if "summaryEvent" in event:
            changes = event["summaryEvent"]["resourceChanges"]
    return dict(changes)
