"""`./infra rotate NAME ...`: another version of one credential, without an outage, and nothing else changes.

The version is a number in the stack file, so that what runs is in git (docs/decisions/0012). The rotation itself is an
`up`: it makes the new one, lets the servers accept it, rolls the backends, and withdraws the old one last. So an
interrupted rotation is one whose number is ahead of the state, and the same command goes on with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from components.settings import StackSettings
from ops.credentials.known import Kind, Rotated, rotated
from ops.credentials.listing import resources
from ops.deploy.stackedit import written
from ops.emulated import set_up_for
from ops.errors import OperatorError
from ops.escrow.keep import refresh
from ops.repairs import repairs
from ops.server import settings_of
from ops.server_look import seen_at
from ops.session import Session, open_session, say
from ops.target import Target, target_options
from ops.up import put_in_order
from rehearsal.stackfile import laid_over
from rehearsal.workspace import Workspace

LOGGED_OUT = "Everyone is logged out: the application does not accept what it signed before."
STAYS = (
    "What was signed before stays valid until the next rotation (containers.backend.accepts_previous): after a leak, "
    "rotate twice."
)
BY_HAND = {
    "app_user": (
        "Railway does not know it yet, and until then the application cannot log in: put DATABASE_URL into its "
        "variables and redeploy. Neon has it already where the stack has a `host`; else give it to app_user there."
    ),
    "migrator_user": (
        "Whoever runs the migrations does not know it yet: put MIGRATION_DATABASE_URL there. Neon has it already where "
        "the stack has a `host`; else give it to migrator_user there."
    ),
    "backup_user": "The runner has it, and Neon as well: nobody else logs in with it.",
    "jwt": "Railway does not know it yet: put JWT_SECRET into its variables and redeploy. Everyone is logged out then.",
    "refresh_token": (
        "Railway does not know it yet: put REFRESH_TOKEN_SECRET into its variables and redeploy. "
        "Everyone is logged out then."
    ),
}
READ = "Read it with `./infra shell`, then `pulumi stack output secrets --show-secrets`: it is a secret on your screen."


@click.command()
@target_options
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(target: Target, names: tuple[str, ...], yes: bool) -> None:
    """Other versions of credentials, accepted before they are used; the old ones are withdrawn when nobody uses them.

    Interrupted anywhere, the same command goes on. `./infra credentials` lists the names.
    """
    set_up_for(target)
    before = [one(settings_of(target), name) for name in dict.fromkeys(names)]
    session = open_session(target)
    put_in_order(session)
    begin(session, before, yes)
    session = open_session(target)
    session, report = seen_at(session)
    status = session.pulumi("up", *repairs(session, report), *(["--yes", "--skip-preview"] if yes else []))
    refresh(session, "rotate")
    settings = settings_of(target)
    sys.exit(status or max(finish(session, one(settings, each.name)) for each in before))


def one(settings: StackSettings, name: str) -> Rotated:
    known = {each.name: each for each in rotated(settings)}
    if name in known:
        return known[name]
    given = {spec.key: spec for spec in type(settings).SECRETS}
    if name in given:
        command, day = given[name].command(settings.PROJECT), f"{settings.PROJECT}:credentials.since.{name}"
        raise OperatorError(
            f"{name} is issued by somebody else: make another one there, then `{command}`, write the day to {day}, "
            "`./infra up`, and take the old one back there."
        )
    if name.startswith("deploy_key"):
        raise OperatorError(
            "Add the new public key to host.deploy.keys beside the old one, `./infra up`, log in with it, then remove "
            "the old one from the list and `./infra up` again."
        )
    raise OperatorError(f"There is no credential {name!r} to rotate: there is {', '.join(known)}.")


def begin(session: Session, names: Sequence[Rotated], yes: bool) -> None:
    """Writes the next number of each, unless its rotation is under way."""
    found = resources(session)
    missing = [each.name for each in names if not each.found(found)]
    if missing:
        raise OperatorError(
            f"{', '.join(missing)}: not made yet. `./infra up` does it, and there is nothing to rotate."
        )
    due = [each for each in names if each.complete(found)]
    for each in names:
        say(announcement(session, each) if each in due else cut_off(each))
    if due and not yes and not click.confirm("Go on?"):
        raise OperatorError("Nothing was changed.")
    for each in due:
        write(session, each.name, each.generation + 1)


def announcement(session: Session, each: Rotated) -> str:
    step = f"version {each.generation + 1} takes the place of {each.generation}"
    return f"{each.name}: {step}. {effect(session, each)}"


def cut_off(each: Rotated) -> str:
    return f"The rotation of {each.name} to version {each.generation} was cut off: it goes on."


def effect(session: Session, wanted: Rotated) -> str:
    if wanted.name in BY_HAND and session.target.system == "neuropilot":
        return BY_HAND[wanted.name]
    if wanted.kind is Kind.SIGNING:
        return STAYS if wanted.previous else LOGGED_OUT
    return "Nobody notices: both are valid until nothing uses the old one."


def write(session: Session, name: str, generation: int) -> None:
    """Into the stack file, to be committed; of a rehearsal, into its own settings."""
    target = session.target
    section = f"{target.system}:credentials"
    if target.rehearsal is None:
        path = target.stack_file()
        path.write_text(written(path, (section, "generation"), {name: str(generation)}))
        say(f"Written to {path.name}: commit it.")
        return
    workspace = Workspace(target.source, target.rehearsal)
    workspace.keep(laid_over(workspace.kept, {section: {"generation": {name: generation}}}))


def finish(session: Session, wanted: Rotated) -> int:
    """Whether the state has the new version alone."""
    if not wanted.complete(resources(session)):
        say(f"The rotation of {wanted.name} is not complete: the same command goes on with it.")
        return 1
    before = "" if wanted.previous else " The one before is gone."
    say(f"{wanted.name} is at version {wanted.generation}.{before}")
    if session.target.system == "neuropilot":
        say(f"{BY_HAND[wanted.name]} {READ}")
    return 0
