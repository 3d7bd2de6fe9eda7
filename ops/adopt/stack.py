"""The containers' part of `./infra adopt`: a stack that somebody else runs on the server becomes ours with its data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from components.containers.onhost.takeover.journal import BACK, DONE, NOTHING
from components.containers.onhost.takeover.places import COPIED
from ops.adopt import engine, findings
from ops.adopt.settings import keep
from ops.adopt.takeover import Takeover
from ops.deploy.change import Place, place_of
from ops.deploy.deploy import resolve
from ops.errors import OperatorError
from ops.recover import recover
from ops.server_look import AGENT, with_key
from ops.session import Session, backend_of, open_session, say
from ops.target import Target

ANSWER_SECONDS = 60
Facts = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """What a server runs, and where it is to go."""

    place: Place
    facts: Facts

    @property
    def server(self) -> Takeover:
        return Takeover(self.place.settings)

    @property
    def phase(self) -> str:
        return str(self.facts["phase"])

    @property
    def goes_on(self) -> bool:
        """Somebody began, and did not come to the end."""
        return self.phase not in (NOTHING, DONE)


def looked_at(target: Target, session: Session) -> Stack | None:
    """Nothing where there is nothing to take over, or where nobody can look."""
    if target.system != "neurmatic" or (target.rehearsal and AGENT not in session.environment):
        return None
    place = place_of(target)
    try:
        stack = Stack(place, Takeover(place.settings).look())
    except OperatorError as error:
        say(f"The server was not looked at for a stack that it runs already: {error}")
        return None
    if stack.phase == DONE:
        say(taken_over(stack.facts["journal"], target))
        return None
    return stack if stack.goes_on or stack.facts["containers"] else None


def taken_over(journal: Mapping[str, Any], target: Target) -> str:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(journal["ended"]))
    return (
        f"The server's stack was taken over at {when}: nothing is to do. The old containers are there, stopped; "
        f"`./infra adopt --back --stack {target.stack}` leads back to them."
    )


def explained(stack: Stack) -> None:
    """All that was found and all that would happen. Raises when something does not fit."""
    if stack.goes_on:
        click.echo(f"A take-over of this server did not come to its end (it was {stack.phase}): it goes on.")
        return
    containers = stack.place.settings.containers
    for line in findings.described(stack.facts):
        click.echo(line)
    found = findings.judged(stack.facts, containers)
    for each in found:
        click.echo(f"{'DOES NOT FIT' if each.blocks else 'note'}: {each.text}")
    if any(each.blocks for each in found):
        raise OperatorError("Nothing was touched: what does not fit comes first.")
    click.echo("First, while it serves: a dump of everything, the server, the images, and whatever else can be made.")
    click.echo(f"Then it stops, and its data moves. Expected outage: {findings.outage(stack.facts, containers)} s.")


def take_over(stack: Stack, version: str | None) -> None:
    if stack.phase == BACK:
        lead_back(stack.place.target)
        return
    target = stack.place.target
    if not stack.goes_on:
        prepared(stack, version)
    place = place_of(target)
    session = ready_session(target)
    if stack.goes_on:
        swept = stack.server.sweep(engine.known(session))
        if swept:
            say(f"Removed what a killed run has left half-made: {', '.join(swept)}.")
    try:
        say("The old stack stops, and its data goes to its new place.")
        stack.server.take()
        engine.up(session)
        answered(place)
    except (OperatorError, KeyboardInterrupt) as failure:
        say(f"{failure or 'Interrupted.'}\nThe old stack comes back.")
        brought_back(target)
        raise OperatorError("The new stack did not serve, so the old one does again, with its data.") from None
    told = stack.server.done()
    seconds = told["ended"] - told["began"]
    click.echo(f"Taken over: the stack serves with the old data, after {seconds:.0f} s without.")
    click.echo(taken_over(told, target))


def prepared(stack: Stack, version: str | None) -> None:
    """Everything that nobody notices. Whatever fails here leaves the old stack serving."""
    place = stack.place
    release = release_for(stack, version)
    say("Taking a dump of everything that the old PostgreSQL has.")
    kept = stack.server.back_up()
    say(
        f"{kept['path']}: {findings.size(kept['size'])}, {kept['tables']} tables, {kept['rows']} rows, read back whole."
    )
    if not place.settings.host.adopt:
        keep(place, ("neurmatic:host",), {"adopt": "true"})
    if release:
        keep(place, ("neurmatic:containers", "release"), release)
    ready = stack.server.ready()
    if not ready["certificate"]:
        say("The old nginx shows no certificate that can be taken along: a self-signed one serves until ours has come.")
    if not ready["outlives"]:
        say("The old containers may restart once while the server is prepared: its engine refuses live-restore.")
    session = ready_session(place.target)
    engine.forget(session)
    say("Preparing the server, the images and everything else that can be there before.")
    engine.prepare(session)


def release_for(stack: Stack, version: str | None) -> dict[str, str]:
    """What is to be written into the stack file; nothing when a release stands there."""
    place, containers = stack.place, stack.place.settings.containers
    if version:
        digests = {kind: resolve(place, kind, version).digest for kind in ("backend", "frontend")}
        return {"version": version, **digests}
    if containers.release is not None:
        return {}
    running = findings.running_release(stack.facts, containers)
    if not running:
        raise OperatorError(
            "No release is to run afterwards: containers.release is not set, and what runs does not say its version "
            "and digests. `./infra adopt --release VERSION` takes one from the registry. Nothing was touched."
        )
    say(f"What runs now, {running['version']}, is written into {place.file} as the release.")
    return running


def ready_session(target: Target) -> Session:
    session = with_key(open_session(target), place_of(target).settings.host)
    recover(session, backend_of(session), target.system, lambda _, __: None)
    return session


def answered(place: Place) -> None:
    """By the new stack, through its nginx."""
    end = time.monotonic() + ANSWER_SECONDS
    while (answer := place.host.answer())["status"] not in (200, 400):
        if time.monotonic() > end:
            raise OperatorError(f"nginx answers with {answer['status'] or 'nothing'} ({answer.get('said', '')}).")
        time.sleep(0.5)


def brought_back(target: Target) -> None:
    try:
        lead_back(target)
    except OperatorError as failure:
        raise OperatorError(
            f"{failure}\nNEITHER STACK SERVES: `./infra adopt --stack {target.stack}` goes on; --back leads back."
        ) from None


def way_back(target: Target) -> str:
    """What it means to go it, before anybody is asked."""
    journal = Takeover(place_of(target).settings).look()["journal"]
    if journal["phase"] == NOTHING:
        raise OperatorError("Nothing has been taken over on this server, so nothing leads back.")
    names = {"postgres": "PostgreSQL", "redis": "Redis"}
    copied = [names[kind] for kind, move in sorted(journal["moves"].items()) if move["how"] == COPIED]
    if not copied:
        return "What was written since the take-over comes along, and so do the migrations that have run since."
    return (
        f"WHAT {' AND '.join(copied).upper()} WROTE SINCE THE TAKE-OVER DOES NOT COME ALONG: its files were copied, "
        "and the old stack has the original. The copy is kept. The rest comes along, with its migrations."
    )


def lead_back(target: Target) -> None:
    """The server first: until it is done, the state knows what may still be there."""
    session, place = ready_session(target), place_of(target)
    told = Takeover(place.settings).back()
    engine.forget(session)
    for path in told["kept"]:
        click.echo(f"WHAT WAS WRITTEN SINCE is not in the old stack: it lies in {path}, with everything from before.")
    click.echo("The old stack serves again, as it was.")
