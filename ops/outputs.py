"""`./infra outputs`: what a stack hands out.

A team's variables come from the published contract: that takes a role which may read one object, and no key of the
stack. Without --team the stack's own outputs are shown, which takes its key.
"""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any

import click
import yaml

from components.outputs import CONTRACTS, OutputsError
from components.publish.config import OBJECT
from ops.errors import OperatorError
from ops.session import open_session
from ops.target import Target, target_options
from rehearsal.inventory import published
from rehearsal.workspace import Workspace


@click.command()
@target_options
@click.option("--team", help="Only this team's variables, from the published contract: no key of the stack needed.")
@click.option("--format", "form", type=click.Choice(["text", "json", "env"]), default="text")
def outputs(target: Target, team: str | None, form: str) -> None:
    """What a stack hands out: for people, as JSON, as an env file."""
    target.stack_file()
    if team is None:
        if form == "env":
            raise OperatorError("An env file is one team's: add --team. `./infra outputs --help` shows an example.")
        sys.exit(open_session(target).pulumi("stack", "output", *(["--json"] if form == "json" else [])))
    print(render(variables(target, team), form), end="")


def variables(target: Target, team: str) -> dict[str, str]:
    contract = CONTRACTS[target.system]
    try:
        contract.check_team(team)
        return contract.environment(contract.parse(fetch(target), f"{target.system}/{target.stack}"), team)
    except OutputsError as error:
        raise OperatorError(str(error)) from None


def fetch(target: Target) -> Any:
    """The published contract, or None where the stack has published none."""
    config = yaml.safe_load(target.stack_file().read_text())["config"]
    place = config.get(f"{target.system}:publish") or {}
    if "bucket" not in place:
        raise OperatorError(f"{target.stack_file().name} has no {target.system}:publish.bucket: nothing is published.")
    text = _read(target, place["bucket"], place.get("region", "eu-west-1"))
    try:
        return json.loads(text) if text is not None else None
    except ValueError:
        raise OperatorError(f"{OBJECT} in {place['bucket']} is not JSON: run `./infra up` there again.") from None


def _read(target: Target, bucket: str, region: str) -> str | None:
    if target.rehearsal:
        return published(Workspace(target.source, target.rehearsal).folder, bucket, OBJECT)
    from ops.aws import asking_aws, client  # noqa: PLC0415 (boto3 takes a moment, and a rehearsal needs none)

    with asking_aws(f"read {OBJECT} in {bucket}"):
        s3 = client("s3", region)
        try:
            return str(s3.get_object(Bucket=bucket, Key=OBJECT)["Body"].read().decode())
        except s3.exceptions.NoSuchKey:
            return None


def render(values: dict[str, str], form: str) -> str:
    if form == "json":
        return json.dumps(values, indent=2) + "\n"
    if form == "env":
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    width = max(len(name) for name in values)
    return "".join(f"{name:<{width}}  {value}\n" for name, value in values.items())
