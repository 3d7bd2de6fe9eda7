"""`./infra scale N`: more or fewer backends, with the sums shown first."""

from __future__ import annotations

from collections.abc import Iterator

import click

from components.containers import fit
from components.containers.config import ContainersSettings
from ops.deploy.change import Place, confirmed, make, place_of, verify
from ops.errors import OperatorError
from ops.target import Target, target_options

FEWEST, MOST = 1, 8


@click.command()
@target_options
@click.argument("count", type=click.IntRange(FEWEST, MOST))
@click.option("--yes", is_flag=True, help="Do not ask.")
def scale(target: Target, count: int, yes: bool) -> None:
    """COUNT backends: memory and database connections are added up and shown first. No request fails."""
    place = place_of(target)
    now, wanted = place.settings.containers, resized(place.settings.containers, count)
    if now.backend.count == count:
        raise OperatorError(f"{target.stack} has {count} backends already.")
    refuse(place, wanted)
    click.echo("\n".join(arithmetic(place, now, wanted)))
    confirmed(f"{count} backends in {target.stack}?", yes)
    seconds = make(place, "backend", {"count": str(count)}, f"The change to {count} backends")
    release = place.host.serving().release
    said = f": {verify(place.host, release)}" if release else "."
    click.echo(f"{count} backends, after {seconds:.0f} s{said}")


def resized(containers: ContainersSettings, count: int) -> ContainersSettings:
    return containers.model_copy(update={"backend": containers.backend.model_copy(update={"count": count})})


def refuse(place: Place, wanted: ContainersSettings) -> None:
    """What `up` would refuse, before the stack file is touched."""
    if place.settings.environment.value == "production" and wanted.backend.count < 2:
        raise OperatorError("Production has at least 2 backends: with one, a crash is an outage.")
    mistakes = [*fit.connections_fit(wanted), *fit.memory_fits(place.settings.host, wanted)]
    if mistakes:
        raise OperatorError(f"{wanted.backend.count} backends do not fit: " + "; ".join(each.text for each in mistakes))


def arithmetic(place: Place, now: ContainersSettings, wanted: ContainersSettings) -> Iterator[str]:
    parts, there = fit.memory_parts(wanted), place.settings.host.capacity.memory
    yield f"{now.backend.count} -> {wanted.backend.count} backends, counted twice because a deploy runs both sets."
    yield "  memory       " + " + ".join(f"{fit.size(value)} {name}" for name, value in parts.items())
    yield f"               = {fit.size(sum(parts.values()))} of {fit.size(there)}"
    reserved, most = wanted.postgres.reserved_connections, wanted.postgres.max_connections
    needed = 2 * wanted.backend.count * wanted.pool + reserved
    yield f"  connections  2 x {wanted.backend.count} x {wanted.pool} + {reserved} reserved = {needed} of {most}"
    if now.pool != wanted.pool:
        fixed = min(now.pool, wanted.pool)
        yield f"  The pool of each backend changes from {now.pool} to {wanted.pool}, so all of them roll."
        yield f"  With `backend.pool: {fixed}` in the stack file only their number would change."
    else:
        yield f"  The pool of each stays {now.pool}: those that run are left alone."
