"""`python -m rehearsal.clouds start|stop|status|zone|fault|skip FOLDER ...`: the emulated clouds, by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rehearsal import RehearsalError
from rehearsal.clouds import servers

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """AWS and Cloudflare on loopback, for one rehearsal each. docs/embedded-clouds.md tells more."""


@main.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--idle", default=servers.IDLE_SECONDS, show_default=True, help="End after so many seconds without a call."
)
def start(folder: Path, idle: float) -> None:
    """Start them, and print what a shell has to export."""
    _print_environment(servers.start(folder, idle=idle))


@main.command()
@click.argument("folder", type=FOLDER)
def stop(folder: Path) -> None:
    """End them; what they hold stays."""
    servers.stop(folder)


@main.command()
@click.argument("folder", type=FOLDER)
def status(folder: Path) -> None:
    """Print where they answer and which faults wait; exits 1 if they do not run."""
    clouds = _running(folder)
    click.echo(f"aws         {clouds.aws}\ncloudflare  {clouds.cloudflare}\nprocess     {clouds.pid}")
    for fault in clouds.faults():
        click.echo("fault       " + " ".join(f"{name}={value}" for name, value in fault.items()))


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("zone_id")
@click.argument("name")
@click.option("--plan", default="free", show_default=True, help="free, pro, business or enterprise.")
def zone(folder: Path, zone_id: str, name: str, plan: str) -> None:
    """Make a zone exist, as zones do before a stack adopts them."""
    _running(folder).adopt(servers.Zone(zone_id, name, plan))


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("kind")
@click.option("--api", default="*", help="aws or cloudflare.")
@click.option("--method", default="*")
@click.option("--path", default="*", help="With * for any text.")
@click.option("--action", default="*", help="Such as s3:PutObject or dns_records.create.")
@click.option("--times", type=click.IntRange(0, 10_000), default=1, show_default=True, help="0: until cleared.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="Delay, or Retry-After.")
def fault(folder: Path, kind: str, times: int, **matching: str | float) -> None:
    """Make the next fitting calls fail.

    KIND is slow, 429, 500, 503, expired, reset (no answer), lost (done, but no answer), cut (half an answer), or
    clear, which forgets those that wait.
    """
    clouds = _running(folder)
    if kind == "clear":
        clouds.clear_faults()
    else:
        clouds.fault(kind, times=times or None, **matching)


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("days", type=float)
def skip(folder: Path, days: float) -> None:
    """Let time pass in the clouds."""
    _running(folder).skip(days * 86400)


def _running(folder: Path) -> servers.Clouds:
    clouds = servers.running(folder)
    if clouds is None:
        raise RehearsalError(f"No clouds run in {folder}: `python -m rehearsal.clouds start {folder}` starts them.")
    return clouds


def _print_environment(clouds: servers.Clouds) -> None:
    for name, value in clouds.environment().items():
        click.echo(f"export {name}={value}")


if __name__ == "__main__":
    try:
        main(prog_name="python -m rehearsal.clouds")
    except RehearsalError as problem:
        sys.exit(str(problem))
