"""`./infra contract IMAGE`: what an image of the application lacks to be run, rolled and rolled back here."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from ops.errors import OperatorError
from ops.stackcheck import check_file
from ops.target import Target

if TYPE_CHECKING:
    from components.containers.config import ContainersSettings

BROKEN = 2


@click.command()
@click.argument("image")
@click.option("--stack", "-s", default="production", show_default=True, help="Whose settings it is run with.")
@click.option("--command", help="What the container runs, where it differs from containers.backend.command.")
@click.option("--migration", help="What migrates, where it differs from containers.backend.migration.")
@click.option("--within", type=click.IntRange(5, 1800), help="Seconds until it has to be ready.")
def contract(image: str, stack: str, **differently: Any) -> None:
    """What an IMAGE of the backend lacks to be run here: started, migrated, stopped, starved, for real.

    Needs a Docker engine on this machine, and nothing else: no stack, no account. Ends with 2 when a promise is broken.
    """
    settings = check_file(Target("neurmatic", stack).stack_file(), rehearsal=True).settings
    if settings is None:
        raise OperatorError(f"The stack file of {stack} has mistakes: `./infra check Pulumi.{stack}.yaml` names each.")
    sys.exit(tell(image, changed(settings.containers, **differently), settings.site))  # type: ignore[attr-defined]


def changed(
    settings: ContainersSettings, command: str | None, migration: str | None, within: int | None
) -> ContainersSettings:
    words = {name: tuple(shlex.split(text)) for name, text in (("command", command), ("migration", migration)) if text}
    rolling = settings.rolling.model_copy(update={"healthy_within": within} if within else {})
    return settings.model_copy(update={"backend": settings.backend.model_copy(update=words), "rolling": rolling})


def tell(image: str, settings: ContainersSettings, site: Any) -> int:
    from rehearsal import RehearsalError  # noqa: PLC0415  most verbs need no Docker
    from rehearsal.contract import CHECKS, judge, trial  # noqa: PLC0415
    from rehearsal.docker import ensure_docker  # noqa: PLC0415

    try:
        ensure_docker()
        with trial(image, settings, site) as running:
            broken = asked = 0
            for found in judge(running):
                asked += 1
                broken += found.advice is not None
                click.echo(f"{'no ' if found.advice else 'yes'}  {found.promise}")
                if found.advice:
                    click.echo(f"     {found.advice}")
    except RehearsalError as error:
        raise OperatorError(str(error)) from None
    rest = f", {len(CHECKS) - asked} not tried" if asked < len(CHECKS) else ""
    click.echo(f"{asked - broken} of {len(CHECKS)} promises are kept{rest}.")
    return BROKEN if broken else 0
