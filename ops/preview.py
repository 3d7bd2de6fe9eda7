"""`./infra preview`: what `up` would do, policy-checked; nothing is changed."""

from __future__ import annotations

import sys

import click

from ops.session import open_session, options
from ops.target import Target, target_options


@click.command(context_settings={"ignore_unknown_options": True})
@target_options
@click.argument("engine_options", nargs=-1, type=click.UNPROCESSED)
def preview(target: Target, engine_options: tuple[str, ...]) -> None:
    """What `up` would do, policy-checked. Nothing is changed.

    Further options go to `pulumi preview`, such as --diff or --refresh.
    """
    sys.exit(open_session(target).pulumi("preview", *options(engine_options)))
