"""`./infra shell`: the engine on PATH, policies on, backend and plugins in place."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from ops.emulated import set_up_for
from ops.session import open_session
from ops.target import Target, target_options


@click.command()
@target_options
@click.option("--command", "-c", help="Run this in the shell instead of waiting for a person.")
def shell(target: Target, command: str | None) -> None:
    """A shell in which bare `pulumi preview` and `pulumi up` work, policy-checked."""
    set_up_for(target)
    session = open_session(target)
    program = os.environ.get("SHELL", "/bin/sh")
    if command is None:
        print(f"{target.system} in {session.folder}; `exit` leaves.", file=sys.stderr)
    words = [program, "-c", command] if command is not None else [program]
    sys.exit(subprocess.run(words, cwd=session.folder, env=dict(session.environment), check=False).returncode)
