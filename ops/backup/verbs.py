"""`./infra backup` and `./infra restore`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from ops.backup.onserver import Scripts, scripts_of
from ops.errors import OperatorError
from ops.target import Target, target_options


@click.command()
@target_options
@click.option("--list", "listed", is_flag=True, help="What there is, on the server and in the bucket.")
def backup(target: Target, listed: bool) -> None:
    """Dump the database now: restored on trial, uploaded and read back before it counts."""
    sys.exit(scripts_of(target).run("backup", ["--list"] if listed else []))


@click.command()
@target_options
@click.argument("wanted", metavar="[BACKUP]", default="latest")
@click.option("--into", metavar="DATABASE", help="Beside the live database, under this name.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help="Private key of encrypted backups (age); it is on the server while the restore runs.",
)
@click.option("--check", is_flag=True, help="Only look whether the backup is whole and restores.")
@click.option("--wait", is_flag=True, help="Stay until an archived backup has been fetched back.")
@click.option("--without-safety", is_flag=True, help="Go on when the live database cannot be dumped any more.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(target: Target, wanted: str, into: str | None, identity: Path | None, **flags: bool) -> None:
    """Make a backup the live database, or put it beside it.

    BACKUP is `latest` (default), a name of `./infra backup --list`, s3://BUCKET/KEY, or a file of this machine.
    The old database is kept, and whatever fails before the last step leaves it in place.
    """
    scripts = scripts_of(target)
    with ExitStack() as stack:
        arguments = [_on_server(scripts, wanted, stack)]
        arguments += ["--into", into] if into else []
        if identity:
            arguments += ["--identity", stack.enter_context(scripts.lent(identity, "/run", "identity"))]
        arguments += [f"--{name.replace('_', '-')}" for name, given in flags.items() if given]
        code = scripts.run("restore", arguments)
    sys.exit(code)


def _on_server(scripts: Scripts, wanted: str, stack: ExitStack) -> str:
    """A file of this machine is sent; everything else is a name that the server knows."""
    path = Path(wanted)
    if path.is_file():
        return stack.enter_context(scripts.lent(path, f"{scripts.root}/backups", path.name))
    if "/" in wanted and not wanted.startswith("s3://"):
        raise OperatorError(f"There is no file {wanted} here. `./infra backup --list` names what the server has.")
    return wanted
