"""`./infra drill`: a disaster played on a rehearsal machine, or the loss of the real server tried on an empty one."""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from ops.drill.asking import Wanted, confirmed, job_for
from ops.drill.recover import REPORTS, report_option, reported, server_options, with_options
from ops.drill.server import recover
from ops.drill.steps import TARGET_SECONDS, Steps
from ops.emulated import set_up
from ops.errors import OperatorError
from ops.session import say
from ops.target import Target

SCENARIOS = {
    "server": "loss of the whole server",
    "database": "database failure",
    "api": "API failure",
    "rows": "data corruption",
}


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)), default="server")
@click.option("--rehearsal", is_flag=True, help="On a machine and on clouds of its own: what happens without --server.")
@click.option("--name", default="drill", show_default=True, help="Of the rehearsal; one of that name is removed first.")
@click.option(
    "--stack", "-s", default="production", show_default=True, help="Whose envelope and backups, with --server."
)
@click.option("--server", help="An empty server of yours: the real envelope and the real backups, beside the living.")
@with_options(*server_options, report_option)
@click.option("--yes", is_flag=True, help="Do not ask.")
def drill(scenario: str, server: str | None, report: Path | None, yes: bool, **given: Any) -> None:
    """Recovery, tried: SCENARIO is server (default), database, api or rows (docs/disaster.md).

    Without --server everything is played: a stack is brought up, visitors write, the disaster strikes, and the
    documented command has to bring back every row that was acknowledged before the backup.

    With --server ADDRESS the loss of the real server is tried on that empty one, with the real envelope and the newest
    real backup. The bucket is only read; DNS, the state and the server of the stack are left alone; nobody is told.
    """
    rehearsal, name, stack = (given.pop(each) for each in ("rehearsal", "name", "stack"))
    if server is None:
        played(scenario, name, report)
        return
    if rehearsal or scenario != "server":
        raise OperatorError("--server is for the loss of a real server: leave out --rehearsal and the scenario.")
    began = datetime.now(timezone.utc)
    wanted = Wanted(server=server, drill=True, **given)
    job = job_for(Target("neurmatic", stack), wanted)
    confirmed(job, wanted, yes)
    with reported(Steps(f"Drill of {stack}: loss of the whole server", TARGET_SECONDS), report) as steps:
        recover(job, steps, began)


def played(scenario: str, name: str, report: Path | None) -> None:
    set_up()
    from rehearsal import RehearsalError  # noqa: PLC0415  what these need has only just been set up
    from rehearsal.drill.scenes import SCENES  # noqa: PLC0415
    from rehearsal.drill.stage import staged  # noqa: PLC0415

    began = datetime.now(timezone.utc)
    steps = Steps(f"Drill: {SCENARIOS[scenario]}")
    path = report or REPORTS / f"{began:%Y%m%d-%H%M%S}-{scenario}.md"
    try:
        with tempfile.TemporaryDirectory() as safe, staged(name, Path(safe)) as stage:
            inner = Path(safe) / "report.md"
            SCENES[scenario](stage, inner, steps)
            text = inner.read_text() if inner.is_file() else ""
    except RehearsalError as error:
        raise OperatorError(str(error)) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    page = f"{steps.page()}\n{text.replace('# ', '## ', 1)}".rstrip()
    path.write_text(f"{page}\n")
    click.echo(page)
    say(f"The report: {path}")
