"""`./infra rehearse stack` and `release`: the whole production program on a machine of its own, and what it shows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.emulated import set_up
from ops.errors import OperatorError
from ops.server_look import with_variable
from ops.session import open_session
from ops.target import Target

if TYPE_CHECKING:
    from rehearsal.whole import WholeStack

NAME, VERSION = "whole", "1.4.2"
# Without it the engine does not know the option.
EVENT_LOG = "PULUMI_DEBUG_COMMANDS"
NEXT = """
Try next:
  ./infra rehearse release {newer}{other}          another release, under your eyes
  ./infra rehearse release 9.9.9{other} --fault FAULT_CRASH_AT_START=1    one that is broken
  ./infra preview --stack production --rehearsal --name {name}    nothing to do
  ./infra rehearse shell {name}                    look around
  ./infra rehearse down {name}                     all of it is gone"""


@click.command()
@click.argument("name", default=NAME)
@click.option("--version", default=VERSION, show_default=True, help="Of the application that it begins with.")
def stack(name: str, version: str) -> None:
    """The whole stack of Neurmatic on a machine: brought up, and shown to serve."""
    set_up()
    from rehearsal.machine import Machine, Order  # noqa: PLC0415  what these need has only just been set up
    from rehearsal.stack import images_for  # noqa: PLC0415
    from rehearsal.whole import PACKAGES, WholeStack  # noqa: PLC0415

    began = time.monotonic()
    machine = Machine.find(name) if exists(name) else Machine.up(name, Order(memory_mb=5000, packages=PACKAGES))
    booted = time.monotonic()
    with images_for(machine) as images:
        whole = WholeStack(machine, images, name)
        whole.release = images.release(version)
        whole.prepared()
        published = time.monotonic()
        bring_up(whole, Target("neurmatic", "production", name))
    parts = (
        f"machine {booted - began:.0f} s, images {published - booted:.0f} s, up {time.monotonic() - published:.0f} s"
    )
    click.echo(f"\nFrom nothing to serving: {parts}.")
    other = "" if name == NAME else f" {name}"
    click.echo(NEXT.format(name=name, other=other, newer=version.rpartition(".")[0] + ".99"))


def bring_up(whole: WholeStack, target: Target) -> None:
    from rehearsal.proof import proof  # noqa: PLC0415  as above

    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events"
        session = with_variable(open_session(target), EVENT_LOG, "true")
        if session.pulumi("up", "--yes", "--skip-preview", "--event-log", str(events)):
            raise OperatorError(
                f"The stack did not come up: see above. `./infra rehearse shell {whole.name}` looks in."
            )
        for line in proof(whole, events):
            click.echo(line)


@click.command()
@click.argument("version")
@click.argument("name", default=NAME)
@click.option("--fault", "faults", multiple=True, metavar="FAULT_X=1", help="Baked into it (docs/rehearsal-images.md).")
def release(version: str, name: str, faults: tuple[str, ...]) -> None:
    """Another VERSION of the application on the stack, good or bad: published, then deployed as for real."""
    set_up()
    from rehearsal.machine import Machine  # noqa: PLC0415  as above
    from rehearsal.stack import images_for  # noqa: PLC0415

    if not exists(name):
        raise OperatorError(f"There is no stack {name!r}: `./infra rehearse stack` brings one up.")
    if wrong := [fault for fault in faults if "=" not in fault]:
        raise OperatorError(f"--fault {wrong[0]}: a fault has a value, such as FAULT_CRASH_AT_START=1.")
    with images_for(Machine.find(name)) as images:
        images.release(version, **dict(fault.split("=", 1) for fault in faults))
        deploy = ["deploy", version, "--yes", "--stack", "production", "--rehearsal", "--name", name]
        sys.exit(subprocess.run([sys.executable, "-m", "ops", *deploy], check=False).returncode)


def exists(name: str) -> bool:
    from rehearsal.machine import store  # noqa: PLC0415  as above

    return store.load(name) is not None
