"""`./infra adopt`: what exists already is taken over as it is: buckets with objects, a stack with its data."""

from __future__ import annotations

import click

from ops.adopt import buckets, stack
from ops.bootstrap import ask
from ops.emulated import set_up_for
from ops.session import open_session, say
from ops.target import Target, target_options
from ops.up import put_in_order


@click.command()
@target_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--back", is_flag=True, help="The stack that was taken over serves again, as it was before.")
@click.option("--release", "version", help="What the stack runs afterwards, where its file does not say so.")
def adopt(target: Target, yes: bool, back: bool, version: str | None) -> None:
    """Take over what exists already: buckets with their objects, and a stack that docker-compose runs on the server.

    Says what was found, what would happen and what does not fit, before anything is touched. Interrupted anywhere,
    it goes on when it is called again.
    """
    set_up_for(target)
    session = open_session(target)
    if back:
        click.echo(stack.way_back(target))
        ask("Stop this stack, and start the one that was there before?", yes)
        stack.lead_back(target)
        return
    put_in_order(session)
    old, found = stack.looked_at(target, session), buckets.looked_for(session)
    if not found.there and old is None:
        say("Nothing of what would be created exists already: there is nothing to adopt.")
        return
    if old is not None:
        stack.explained(old)
    if found.there:
        buckets.take_over(session, found, yes)
    if old is not None:
        ask("Take this stack over?", yes)
        stack.take_over(old, version)
