"""`./infra rollback [TO]`: a release that has served before comes back, out of the images that the server has kept."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ops.deploy.change import Place, confirmed, make, place_of, values_of, verify
from ops.deploy.onserver import Release
from ops.errors import OperatorError
from ops.session import say
from ops.target import Target, target_options


@click.command()
@target_options
@click.argument("to", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--despite-migration", is_flag=True, help="Although the database has moved on for good.")
def rollback(target: Target, to: str | None, yes: bool, despite_migration: bool) -> None:
    """The release before, or the one named TO, serves again: containers only, no registry, nothing in the database.

    A migration in between that cannot be undone is said before anything happens.
    """
    place = place_of(target)
    now, history = place.host.serving().release, place.host.history()
    found = chosen(history, now, to)
    click.echo("\n".join(plan(place, now, found)))
    refuse_migrations(crossed(history, found), found, despite_migration)
    confirmed(f"Roll {target.stack} back to {found['version']}?", yes)
    seconds = make(place, "release", values_of(found), f"The rollback to {found['version']}")
    click.echo(f"{found['version']} serves, after {seconds:.0f} s: {verify(place.host, found)}")
    if target.rehearsal is None:
        click.echo(f"Commit {target.stack_file().name}: what runs is in git.")


def chosen(history: Sequence[Release], now: Release, to: str | None) -> Release:
    """The newest time that it served; without a name, whatever served last that does not serve now."""
    past = [each for each in history if not same(each, now)]
    named = [each for each in past if to is None or each["version"] == to]
    if named:
        return named[-1]
    if to is not None and now.get("version") == to:
        raise OperatorError(f"{to} serves already.")
    known = ", ".join(dict.fromkeys(str(each["version"]) for each in reversed(past))) or "none"
    wanted = f"{to} has never served here" if to else "There is nothing to go back to"
    raise OperatorError(f"{wanted}; releases that have: {known}. A new one comes by `./infra deploy VERSION`.")


def crossed(history: Sequence[Release], found: Release) -> list[Release]:
    """What has served since, and cannot be undone."""
    return [each for each in history[list(history).index(found) + 1 :] if each.get("irreversible")]


def same(one: Release, other: Release) -> bool:
    return all(one.get(kind) == other.get(kind) for kind in ("version", "backend", "frontend"))


def plan(place: Place, now: Release, found: Release) -> list[str]:
    rows = [
        f"{place.target.stack} runs {now.get('version', 'no release')}; {found['version']} served from {found['at']}.",
        *(f"  {kind:9} {found[kind]}" for kind in ("backend", "frontend")),
        "  Containers only: the database keeps what later releases have made of it.",
    ]
    if lacking := place.host.lacks([found["backend"], found["frontend"]]):
        rows.append(f"  Not on the server any more, so the registry is needed: {', '.join(lacking)}")
    return rows


def refuse_migrations(irreversible: Sequence[Release], found: Release, despite: bool) -> None:
    if not irreversible:
        return
    which = ", ".join(dict.fromkeys(str(each["version"]) for each in irreversible))
    text = f"The migrations of {which} cannot be undone, and {found['version']} does not work with what they have left"
    if not despite:
        raise OperatorError(
            f"{text}. Nothing was changed. `./infra restore` brings the database of that time back; "
            "--despite-migration rolls the containers back alone."
        )
    say(f"{text}: going on, as --despite-migration asks.")
