"""Throw-away servers to rehearse on: stack, release, up, shell, down, status."""

from __future__ import annotations

import os
import shlex
from typing import Any

import click

from ops.rehearse_stack import release, stack
from rehearsal import RehearsalError
from rehearsal.machine import Machine, Order, cleanup


class OneSentence(click.Group):
    """What goes wrong in a rehearsal is a message of the command line, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RehearsalError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=OneSentence)
def rehearse() -> None:
    """Throw-away servers in containers: try the host, the containers and the drills for real."""


@rehearse.command()
@click.argument("name", default="main")
@click.option("--release", default="debian-12", show_default=True, help="debian-12, ubuntu-22.04 or ubuntu-24.04.")
@click.option("--memory", "memory_mb", type=int, metavar="MB", help="Default: 6144, or two thirds of what is there.")
@click.option("--cpus", type=float, help="Default: all.")
@click.option("--port", type=click.IntRange(1, 65535), help="Of SSH, on 127.0.0.1. Default: a free one.")
@click.option("--with", "packages", multiple=True, metavar="PACKAGE", help="Deliver it with a package installed.")
def up(name: str, **wanted: Any) -> None:
    """Boot a machine and say how to get in."""
    order = Order(**wanted)
    click.echo(f"Booting '{name}' ({order.release}); the first of its kind takes a minute or two.", err=True)
    _introduce(Machine.up(name, order))


rehearse.add_command(stack)
rehearse.add_command(release)


@rehearse.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", default="main")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(name: str, command: tuple[str, ...]) -> None:
    """Log in to a machine, or run a COMMAND there."""
    machine = Machine.find(name)
    if not machine.running():
        raise click.ClickException(f"Machine '{name}' does not run: './infra rehearse down {name}', then 'up {name}'.")
    ssh = machine.ssh_command(shlex.join(command) if command else None)
    os.execvp(ssh[0], ssh)  # noqa: S606  the terminal belongs to ssh from here on


@rehearse.command()
@click.argument("name", default="main")
@click.option("--all", "everything", is_flag=True, help="All machines, the cached images, an engine started for them.")
def down(name: str, everything: bool) -> None:
    """Remove a machine without a trace, also after a crash."""
    if everything:
        for line in cleanup.remove_everything():
            click.echo(line)
    elif cleanup.take_down(name):
        click.echo(f"Machine '{name}' is gone.")
    else:
        raise click.ClickException(f"There is no machine '{name}': './infra rehearse status' lists them.")


@rehearse.command()
def status() -> None:
    """The machines that are up, and the cached images."""
    for line in cleanup.status():
        click.echo(line)


def _introduce(machine: Machine) -> None:
    name = machine.name
    click.echo(f"Machine '{name}' is up.")
    click.echo(f"  address     {machine.address} (from this machine only)")
    click.echo(f"  SSH         127.0.0.1:{machine.port} as {machine.user}, who may sudo")
    click.echo(f"  key         {machine.key_path}")
    click.echo(f"  host key    {machine.host_key}")
    click.echo(f"  known hosts {machine.known_hosts}")
    click.echo(f"Look around:  ./infra rehearse shell {name}")
    click.echo(f"Files:        scp -F {machine.ssh_config} FILE {name}:")
    click.echo(f"Remove it:    ./infra rehearse down {name}")
