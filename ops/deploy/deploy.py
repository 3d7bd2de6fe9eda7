"""`./infra deploy VERSION`: a release from the registry takes over, without a request being lost."""

from __future__ import annotations

from collections.abc import Mapping

import click

from components.containers.onhost.releases import LABEL
from components.values import ImageRef
from ops.deploy import registry
from ops.deploy.change import Place, confirmed, make, place_of, verify
from ops.deploy.onserver import BACKUP, Release
from ops.errors import OperatorError
from ops.session import open_session, say
from ops.target import Target, target_options
from rehearsal.registry_place import registry_of

NOT_TRUE = "false"


@click.command()
@target_options
@click.argument("version")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--without-backup", is_flag=True, help="Deploy although nothing was backed up before.")
def deploy(target: Target, version: str, yes: bool, without_backup: bool) -> None:
    """A release from the registry takes over: backed up, migrated, started, judged, switched, watched.

    When any gate is not passed, the release before goes on serving and the stack file says so.
    """
    place = place_of(target)
    found = {kind: resolve(place, kind, version) for kind in ("backend", "frontend")}
    release = {"version": version, **{kind: image.digest for kind, image in found.items()}}
    before = place.host.serving().release
    click.echo("\n".join(plan(place, before, release, found["backend"].labels)))
    backs_up = must_back_up(place, without_backup)
    confirmed(f"Deploy {version} to {target.stack}?", yes)
    if backs_up:
        say("Taking the backup before the deploy.")
        place.host.back_up()
    seconds = make(place, "release", release, f"The deploy of {version}")
    click.echo(f"{version} serves, after {seconds:.0f} s: {verify(place.host, release)}")
    if target.rehearsal is None:
        click.echo(f"Commit {target.stack_file().name}: what runs is in git.")


def resolve(place: Place, kind: str, version: str) -> registry.Found:
    settings = place.settings.containers
    image: ImageRef = getattr(settings, kind).image
    host, repository = registry.place_of(image.repository)
    login = None
    if host == settings.registry.host:
        token = open_session(place.target).ask("config", "get", "neurmatic:registry_token").strip()
        login = registry.Login(settings.registry.user, token)
    return registry.Registry(host, login, **elsewhere(place.target)).find(repository, version)


def elsewhere(target: Target) -> dict[str, str]:
    """A rehearsal has a registry of its own, and never asks the real one."""
    if target.rehearsal is None:
        return {}
    found = registry_of(target.rehearsal)
    if found is None:
        raise OperatorError(f"The rehearsal {target.rehearsal} has no registry to deploy from (rehearsal/stack.py).")
    return {"address": found[0], "authority": found[1]}


def plan(place: Place, before: Release, release: Release, labels: Mapping[str, str]) -> list[str]:
    """What will change, for a person to judge."""
    images = place.settings.containers
    rows = [f"{place.target.stack} runs {before.get('version', 'no release yet')}; wanted is {release['version']}."]
    for kind in ("backend", "frontend"):
        repository = getattr(images, kind).image.repository
        is_new = str(before.get(kind, "")).endswith(release[kind])
        rows.append(f"  {kind:9} {repository}@{release[kind]}{' (as it is)' if is_new else ''}")
    words = " ".join(images.backend.migration)
    rows.append(f"  migration `{words}` runs once, before anything new starts.")
    said = labels.get(LABEL)
    if said is None:
        rows.append(f"  The image has no label {LABEL}: nothing says that its migrations stand in a rollback's way.")
    elif said.lower() != NOT_TRUE:
        rows.append(f"  THERE IS NO WAY BACK: after these migrations {before_it(before)} does not work any more.")
    else:
        rows.append(f"  {before_it(before).capitalize()} works with the result, so `./infra rollback` stays possible.")
    rolling = images.rolling
    rows.append(
        f"  The old set stands by for {rolling.soak} s after the switch, then gets {rolling.drain} s to finish."
    )
    return rows


def before_it(before: Release) -> str:
    return f"{before['version']}" if before else "the release before"


def must_back_up(place: Place, without: bool) -> bool:
    """In production there is no deploy without a backup, unless somebody says so in so many words."""
    if without:
        say("WITHOUT A BACKUP: what this release's migrations destroy is lost since the last daily one.")
        return False
    if place.host.can_back_up():
        return True
    if place.settings.environment.value == "production":
        raise OperatorError(
            f"There is no {BACKUP} on {place.settings.host.address}, so no backup can be taken before the deploy: "
            "`./infra up` sets it up. --without-backup deploys without one."
        )
    say(f"There is no {BACKUP} on {place.settings.host.address}: deploying without a backup.")
    return False
