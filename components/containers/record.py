"""What an `up` has made, left on the server: `./infra drift` compares what runs with it, without state or laptop.

The provider never reads variables, labels or health checks back, and pulumi-command reads nothing at all.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_command import remote

from components.containers.drift import installed, wanted
from components.containers.run import Ran, Runner, Written

PREFIX = "neurmatic-"


def record(runner: Runner) -> remote.Command:
    """Last of all: what it names is there, and nginx has been told."""
    told = [runner.commands[role] for role in ("nginx-configuration", "switch") if role in runner.commands]
    document = pulumi.Output.all(
        containers=[_container(runner, each) for each in runner.ran],
        files=[_file(each) for each in runner.texts],
        nginx={"folder": runner.args.place.nginx, "resources": [each._name for each in told]},
        network=runner.network.name,
        prefix=PREFIX,
    )
    script = f"sudo -n {shlex.quote(installed(runner.args.place.root))} record"
    # Fingerprints of secrets are nobody's business either.
    stdin: pulumi.Output[str] = document.apply(lambda known: json.dumps(known, sort_keys=True))
    ran = [each.container for each in runner.ran]
    return runner.command(
        "record", script, pulumi.Output.secret(stdin), depends_on=[*ran, *told], additional_secret_outputs=["stdin"]
    )


def _container(runner: Runner, ran: Ran) -> dict[str, Any]:
    return {
        "id": ran.container.id,
        "name": ran.container.name,
        "resource": ran.resource,
        "service": ran.service.name,
        "wanted": {
            **wanted(ran.service, runner.args.settings, runner.folder(ran.service)),
            "image": runner.image(ran.service).image_id,
            "labels": _labels(ran.labels),
        },
    }


def _labels(labels: Sequence[Mapping[str, Any]]) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.all(*labels).apply(lambda known: {each["label"]: each["value"] for each in known})


def _file(written: Written) -> dict[str, Any]:
    digest = written.text.apply(lambda known: hashlib.sha256(known.encode()).hexdigest())
    return {"resource": written.resource, "path": written.path, "uid": written.owner, "sha256": digest}
