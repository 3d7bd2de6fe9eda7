"""A drill of the real kind on emulated clouds: an empty machine beside a stack that serves on and notices nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from ops.drill.ground import APART
from rehearsal import agent
from rehearsal.drill.bucket import VARIABLE, reachable
from rehearsal.drill.stage import COMMAND_SECONDS, MEMORY_MB, Stage
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.offline.install import install
from rehearsal.stack import introduce
from rehearsal.workspace import REHEARSAL, ROOT

HOME = "plugins-of-a-drill"


@contextmanager
def empty_beside(stage: Stage) -> Iterator[Machine]:
    """A second machine in the same world."""
    name = f"{stage.whole.name}-new"
    take_down(name)
    machine = Machine.up(name, Order(memory_mb=MEMORY_MB))
    try:
        # Whoever orders a second server puts the same key on it as on the first.
        public = stage.whole.machine.key_path.with_suffix(".pub").read_text()
        machine.ssh("cat >>~/.ssh/authorized_keys", stdin=public)
        introduce(machine, stage.whole.images.registry)
        with reachable(stage.whole.workspace, machine):
            yield machine
    finally:
        take_down(name)


def drilled(stage: Stage, machine: Machine, report: Path) -> subprocess.CompletedProcess[str]:
    """`./infra drill --server`, as with real plugins and a real account."""
    words = ["--server", machine.address, "--user", machine.user, "--host-key", machine.host_key, "--yes"]
    words += ["--envelope", str(stage.envelope), "-i", str(stage.identity), "--report", str(report)]
    return subprocess.run(
        [sys.executable, "-m", "ops", "drill", *words],
        cwd=ROOT,
        env=environment(stage, machine),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def environment(stage: Stage, machine: Machine) -> dict[str, str]:
    """Plugins that reach the same clouds, the new machine, and the state of the drill alone."""
    workspace = stage.whole.workspace
    home, marker = workspace.folder / HOME, json.loads((workspace.home / "rehearsal.json").read_text())
    state = APART / "neurmatic-production" / "state"
    install(home, [f"file://{state}"], zones=marker["zones"], machine=[machine.address], clouds=workspace.clouds)
    return {
        **os.environ,
        "PULUMI_HOME": str(home),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "SSH_AUTH_SOCK": str(agent.serve(stage.whole.machine.key_path, os.getpid())),
        REHEARSAL: stage.whole.name,
        VARIABLE: workspace.start_clouds().aws,
    }


def living(stage: Stage) -> dict[str, Any]:
    """Everything that a drill must leave as it is."""
    return {
        "bucket": objects(stage),
        "zone": stage.whole.workspace.start_clouds().zone("0" * 32),
        "containers": sorted(stage.whole.containers()),
        "state": (stage.whole.workspace.backend / ".pulumi/stacks/neurmatic/production.json").read_text(),
    }


def objects(stage: Stage) -> Mapping[str, str]:
    """Every version of everything in the bucket of the backups."""
    clouds = stage.whole.workspace.start_clouds()
    given = {"aws_access_key_id": clouds.aws_key, "aws_secret_access_key": clouds.aws_secret}
    s3 = boto3.client("s3", endpoint_url=clouds.aws, region_name="eu-west-1", **given)
    found = s3.list_object_versions(Bucket="neurmatic-backups")
    return {f"{each['Key']} {each['VersionId']}": str(each["ETag"]) for each in found.get("Versions", [])}
