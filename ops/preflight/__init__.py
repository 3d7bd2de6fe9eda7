"""`./infra preflight`: what stands in the way of an `up`, all of it at once, before anything is touched."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

import click

from components.containers.config import ContainersSettings
from components.host.config import HostSettings
from ops.errors import OperatorError
from ops.preflight.facts import parse
from ops.preflight.findings import Finding, Wanted, findings
from ops.server import NoConnectionError, Server, settings_of
from ops.target import Target, target_options

PROBE = Path(__file__).parent / "probe.sh"
SECONDS = 60
IN_THE_WAY = 2


@click.command()
@target_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def preflight(target: Target, as_json: bool) -> None:
    """What stands in the way of an `up`: nothing is touched, one look over SSH, every finding with what to do.

    Ends with 0 when nothing does, 2 when something does, 1 when it could not be found out.
    """
    settings = settings_of(target)
    host, containers = getattr(settings, "host", None), getattr(settings, "containers", None)
    if not isinstance(host, HostSettings):
        raise OperatorError(f"{target.system} has no server of its own: preflight is for neurmatic.")
    found = look(host, containers)
    click.echo(as_data(host, found) if as_json else as_text(host, found))
    sys.exit(IN_THE_WAY if any(each.blocks for each in found) else 0)


def look(host: HostSettings, containers: ContainersSettings | None) -> list[Finding]:
    """Without a connection that is the one finding: nothing else can be known."""
    folders = shlex.join([host.root, host.data])
    try:
        done = Server(host).run(f"sh -s -- {folders}", PROBE.read_text(), SECONDS)
    except NoConnectionError as error:
        return [Finding(error.trouble.kind, error.trouble.text)]
    return findings(parse(done.stdout), Wanted(host, containers, time.time()))


def as_text(host: HostSettings, found: list[Finding]) -> str:
    blocking = [each for each in found if each.blocks]
    lines = [
        f"{'' if each.blocks else 'note: '}{each.text}" for each in sorted(found, key=lambda each: not each.blocks)
    ]
    count = len(blocking)
    things = "Nothing stands" if not count else "1 thing stands" if count == 1 else f"{count} things stand"
    return "\n".join([*lines, f"{host.address}: {things} in the way."])


def as_data(host: HostSettings, found: list[Finding]) -> str:
    listed = [{"check": each.check, "text": each.text, "blocks": each.blocks} for each in found]
    ready = not any(each.blocks for each in found)
    return json.dumps({"host": host.address, "ready": ready, "findings": listed}, indent=2)
