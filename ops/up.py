"""`./infra up`: makes a stack what its file says, after showing the plan and asking."""

from __future__ import annotations

import sys

import click

from ops.deploy.change import mend_after_failure
from ops.emulated import set_up_for
from ops.escrow.keep import refresh
from ops.inventory import finder
from ops.recover import recover
from ops.repairs import repairs
from ops.server_look import seen_at
from ops.session import Session, backend_of, open_session, options
from ops.target import Target, target_options


@click.command(context_settings={"ignore_unknown_options": True})
@target_options
@click.argument("engine_options", nargs=-1, type=click.UNPROCESSED)
def up(target: Target, engine_options: tuple[str, ...]) -> None:
    """Make it so: shows what will happen and asks, or takes --yes.

    A run that was killed is put in order first, and what somebody has changed on the server by hand is put right.
    Afterwards the sealed copy of the state is refreshed (docs/state.md).
    Further options go to `pulumi up`.
    """
    set_up_for(target)
    session = open_session(target)
    put_in_order(session)
    session, report = seen_at(session)
    status = session.pulumi("up", *repairs(session, report), *options(engine_options))
    # A failed update has changed the state as well.
    kept = refresh(session, "up")
    sys.exit(status or (0 if kept else 1))


def put_in_order(session: Session) -> None:
    recover(session, backend_of(session), session.target.system, finder(session))
    mend_after_failure(session)
