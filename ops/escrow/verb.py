"""`./infra escrow`: the sealed copy of a stack's state. docs/state.md says when it is needed."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import click

from ops.errors import OperatorError
from ops.escrow import keep
from ops.escrow.envelope import Envelope, identities_in, new_identity, unseal
from ops.escrow.places import Place, place
from ops.escrow.restore import restore as put_back
from ops.session import Session, backend_of, open_session, say
from ops.target import Target, target_options

identity_option = click.option(
    "--identity", "-i", required=True, type=click.Path(path_type=Path), help="The private key's file."
)


@click.group()
def escrow() -> None:
    """The sealed copy of a stack's state, for the day on which laptop, key or backend are lost."""


@escrow.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(file: Path) -> None:
    """Make a key pair: the private half goes to FILE, which then goes offline; the public half is shown."""
    private, public = new_identity()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OperatorError(f"{file} was not written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w") as handle:
        handle.write(f"# public key: {public}\n{private}\n")
    say(f"{file} opens every envelope: move it to where no computer reads it, with a second copy elsewhere.")
    say("Into the stack file:   SYSTEM:escrow:\n    recipients:\n      - (the line below)")
    click.echo(public)


@escrow.command()
@target_options
@click.option("--to", "extra", help="A copy here as well: a path, or s3://BUCKET/KEY?region=REGION.")
def write(target: Target, extra: str | None) -> None:
    """Write it now, as every `up` does."""
    session = open_session(target)
    recipients = keep.settings_of(session).recipients
    if not recipients:
        raise OperatorError(
            f"escrow.recipients of {target.stack} names nobody who could open it: make a key with "
            "`./infra escrow key FILE`."
        )
    wanted = [*keep.places(session), *([place(extra)] if extra else [])]
    keep.write(session, "escrow write", recipients, wanted)
    for each in wanted:
        click.echo(f"written: {each.address}")


@escrow.command()
@target_options
def status(target: Target) -> None:
    """Where it lies and how old it is."""
    session = open_session(target)
    found = [(each.address, each.written()) for each in keep.places(session)]
    for address, when in found:
        click.echo(f"{address}: {aged(when) if when else 'none'}")
    if not any(when for _, when in found):
        raise OperatorError(f"There is no escrow copy of {target.stack}: `./infra escrow write` makes one.")


@escrow.command()
@target_options
@identity_option
@click.argument("envelope", required=False)
def check(target: Target, identity: Path, envelope: str | None) -> None:
    """Open it with a key, and compare it with the state as it is now. ENVELOPE: by default the one beside the state."""
    session = open_session(target)
    where = place(envelope) if envelope else kept(session)
    opened = unlocked(where, identity)
    about = opened.about
    click.echo(f"{where.address}: opens; {about.system}/{about.stack}, {about.resources} resources")
    click.echo(
        f"written {aged(datetime.fromisoformat(about.written))}, after `{about.reason}` at commit {about.commit}"
    )
    missing = sorted(now(session) - resources_of(opened))
    if missing:
        listed = "\n  ".join(missing[:10])
        raise OperatorError(f"The state has {len(missing)} resources that the envelope lacks:\n  {listed}")


@escrow.command()
@target_options
@identity_option
@click.option("--replace", is_flag=True, help="Also if there is a state in the backend: it is removed.")
@click.option("--yes", is_flag=True, help="Without asking.")
@click.argument("envelope")
def restore(target: Target, identity: Path, replace: bool, yes: bool, envelope: str) -> None:
    """Make the stack again from ENVELOPE (a path or s3://): its state and its secret settings.

    It goes into the backend of Pulumi.yaml, under the secretsprovider of the stack file: `bootstrap` makes both.
    """
    opened = unlocked(place(envelope), identity)
    session = open_session(target)
    about = opened.about
    question = f"Put {about.system}/{about.stack} of {about.written} into {backend_of(session)}?"
    if not yes and not click.confirm(question):
        raise OperatorError("Nothing was changed.")
    put_back(session, opened, replace)
    say(f"Next: ./infra preview --stack {target.stack} --refresh shows what has changed since.")


def unlocked(where: Place, identity: Path) -> Envelope:
    try:
        text = identity.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"The key {identity} cannot be read: {error}.") from None
    return unseal(where.read(), identities_in(text))


def kept(session: Session) -> Place:
    for each in keep.places(session):
        if each.written():
            return each
    raise OperatorError(f"There is no escrow copy of {session.target.stack}: `./infra escrow write` makes one.")


def now(session: Session) -> set[str]:
    return resources_of(keep.collect(session, "check"))


def resources_of(envelope: Envelope) -> set[str]:
    deployment = envelope.state.get("deployment") or {}
    return {each["urn"] for each in deployment.get("resources") or []}


def aged(when: datetime) -> str:
    hours = (datetime.now(timezone.utc) - when).total_seconds() / 3600
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
    return f"{when:%Y-%m-%d %H:%M} UTC, {age} ago"
