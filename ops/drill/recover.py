"""`./infra recover`: the one command for each of the four disasters. docs/disaster.md says which."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from ops.drill import database as lost_database
from ops.drill import rows as lost_rows
from ops.drill.asking import Wanted, confirmed, job_for
from ops.drill.server import recover as bring_back
from ops.drill.steps import TARGET_SECONDS, Steps
from ops.errors import OperatorError
from ops.target import ROOT, Target, target_options

REPORTS = ROOT / ".toolchain" / "drills"
FILE = click.Path(path_type=Path)

backup_options = (
    click.option("--backup", metavar="NAME", help="This backup, however old; by default the newest."),
    click.option("--backup-identity", type=FILE, help="The private key of encrypted backups (age)."),
)
server_options = (
    click.option(
        "--envelope", help="The sealed copy of the state: a path or s3://. Without it the backend's own state."
    ),
    click.option("--identity", "-i", type=FILE, help="The private key that opens the envelope."),
    click.option("--user", help="The new server's first user, who may use sudo; by default that of the stack file."),
    click.option("--host-key", help="'ssh-ed25519 AAAA...' as its console shows it; without it you are asked."),
    click.option("--ipv4", help="Where the names shall lead; by default the address of the server."),
    click.option("--ipv6", help="The same, if it has one."),
    *backup_options,
)
report_option = click.option("--report", type=FILE, help="Where the report goes.")


def with_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorated(command: Any) -> Any:
        for each in reversed(options):
            command = each(command)
        return command

    return decorated


@click.group()
def recover() -> None:
    """The way back from each of the four disasters (docs/disaster.md)."""


@recover.command()
@target_options
@with_options(*server_options, report_option)
@click.option("--server", required=True, help="The address of a new, empty server.")
@click.option("--old-server-is-off", "old_is_off", is_flag=True, help="Although its address answers.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def server(target: Target, yes: bool, report: Path | None, **given: Any) -> None:
    """The whole server is gone: an empty one becomes what it was, with the newest backup's data.

    Everything is looked at before anything is touched. What was cut off goes on by the same command.
    """
    began = datetime.now(timezone.utc)
    wanted = Wanted(**given)
    job = job_for(target, wanted, endpoint_of(target))
    confirmed(job, wanted, yes)
    with reported(Steps(f"Recovery of {target.stack}: loss of the whole server", TARGET_SECONDS), report) as steps:
        bring_back(job, steps, began)


@recover.command()
@target_options
@with_options(*backup_options, report_option)
@click.option("--yes", is_flag=True, help="Do not ask.")
def database(target: Target, backup: str | None, backup_identity: Path | None, report: Path | None, yes: bool) -> None:
    """PostgreSQL does not start any more: a new cluster, with the newest backup's data. The old files are kept."""
    began = datetime.now(timezone.utc)
    work = lost_database.looked_at(target, backup, backup_identity)
    click.echo(work.announced())
    if not yes and not click.confirm("Shall it begin?"):
        raise OperatorError("Nothing was changed.")
    with reported(Steps(f"Recovery of {target.stack}: database failure"), report) as steps:
        lost_database.recover(work, steps, began)


@recover.command()
@target_options
@click.argument("tables", nargs=-1, required=True)
@with_options(*backup_options, report_option)
@click.option("--where", metavar="SQL", help="Only these rows of the backup.")
@click.option("--overwrite", is_flag=True, help="Rows that are there, but other ones, become the backup's as well.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rows(
    target: Target, tables: tuple[str, ...], report: Path | None, yes: bool, where: str | None, **given: Any
) -> None:
    """Rows were deleted or changed by mistake: a backup beside the live database, and what is missing copied back.

    TABLES in the order in which they refer to each other, the ones that are referred to first.
    """
    wanted = lost_rows.Wanted(tables, where, **given)
    with reported(Steps(f"Recovery of {target.stack}: rows of {', '.join(tables)}"), report) as steps:
        lost_rows.recover(target, wanted, steps, ask=lambda question: yes or click.confirm(question))


@contextmanager
def reported(steps: Steps, path: Path | None) -> Iterator[Steps]:
    """On the terminal and as a file, also when it ends badly."""
    try:
        yield steps
    except BaseException as error:
        steps.failed = steps.failed or str(error) or "it was interrupted."
        raise
    finally:
        stamp = steps.began.strftime("%Y%m%d-%H%M%S")
        if steps.done:
            click.echo(f"\n{steps.page()}")
            steps.write(path or REPORTS / f"{stamp}.md")
            sys.stdout.flush()


def endpoint_of(target: Target) -> str | None:
    """A rehearsal's bucket is not at AWS."""
    if target.rehearsal is None:
        return None
    from rehearsal.workspace import Workspace  # noqa: PLC0415  only a rehearsal has clouds of its own

    return Workspace(target.source, target.rehearsal).start_clouds().aws
