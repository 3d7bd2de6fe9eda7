"""`./infra logs SERVICE`: what a service writes, by a name that stays the same while containers roll."""

from __future__ import annotations

import shlex
import sys

import click

from ops.errors import OperatorError
from ops.health import NOT_FOUND, neurmatic_settings, script
from ops.server import NO_CONNECTION, Server
from ops.target import Target, target_options


@click.command()
@target_options
@click.argument("service")
@click.option("--since", default="", metavar="WHEN", help="Such as 1h, 10m or 2026-11-21T20:00:00Z.")
@click.option("--follow", "-f", is_flag=True, help="Go on until you stop it; across deploys as well.")
@click.option("-n", "lines", type=click.IntRange(min=0), default=100, show_default=True, help="The last so many lines.")
def logs(target: Target, service: str, since: str, follow: bool, lines: int) -> None:
    """What SERVICE writes: backend (all of them), backend-1, frontend, nginx, postgres, redis.

    The same on the server: sudo /opt/neurmatic/infrastructure/scripts/logs SERVICE.
    """
    settings = neurmatic_settings(target, "logs")
    bounds = ["-n", str(lines), *(["--since", since] if since else []), *(["--follow"] if follow else [])]
    server = Server(settings.host)
    # A name that begins with a hyphen is a name, and no option.
    status = server.stream(f"{script(settings, 'logs')} {shlex.join([*bounds, '--', service])}")
    if status == NO_CONNECTION:
        raise OperatorError(f"The connection to {server.place} ended: `./infra preflight` says more.")
    if status == NOT_FOUND:
        raise OperatorError(f"{server.place} has no such script yet: `./infra up` brings it.")
    sys.exit(status)
