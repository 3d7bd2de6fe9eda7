"""`./infra check`: every mistake of stack files at once, without an engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from ops.stackcheck import Report, check_files


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--rehearsal", is_flag=True, help="Accept what stands for values that are not known yet.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(files: tuple[Path, ...], rehearsal: bool, as_json: bool) -> None:
    """All mistakes of stack files at once: one line each, with the place and what is allowed."""
    reports = check_files(files, rehearsal)
    if as_json:
        click.echo(json.dumps([report.as_data() for report in reports], indent=2))
    else:
        _print(reports)
    if any(report.mistakes for report in reports):
        raise SystemExit(1)


def _print(reports: Iterable[Report]) -> None:
    for report in reports:
        for line in report.lines():
            click.echo(line)
        for note in report.notes:
            click.echo(f"{report.path}: note: {note}")
        count = len(report.mistakes)
        click.echo(
            f"{report.path}: {'no mistakes' if not count else '1 mistake' if count == 1 else f'{count} mistakes'}"
        )


if __name__ == "__main__":
    check()
