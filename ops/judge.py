"""`./infra judge`: what is deployed, judged by the policies as they are now."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import yaml

from ops.session import Session, open_session, options
from ops.target import Target, target_options

# The session's environment names the policy pack; without one the engine would find nothing wrong with anything.
ANALYZE = ("policy", "analyze")


@click.command(context_settings={"ignore_unknown_options": True})
@target_options
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A state that somebody exported (`pulumi stack export`): needs no backend and no key.",
)
@click.argument("engine_options", nargs=-1, type=click.UNPROCESSED)
def judge(target: Target, file: Path | None, engine_options: tuple[str, ...]) -> None:
    """What is deployed, judged by the policies as they are now. The program is not run, and no provider is asked.

    Further options go to `pulumi policy analyze`, such as --json or --diff.
    """
    session = open_session(target)
    if file is None:
        sys.exit(session.pulumi(*ANALYZE, *options(engine_options)))
    sys.exit(_file(session, file.resolve(), options(engine_options)))


def _file(session: Session, file: Path, more: list[str]) -> int:
    """A file brings no configuration along, so the stack's exceptions are handed over."""
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "policies.json"
        config.write_text(json.dumps({"pack-configuration": _exceptions(session.target)}))
        command = ["pulumi", *ANALYZE, "--policy-pack-config", str(config), "--file", str(file), *more]
        done = subprocess.run(command, cwd=session.folder, env=dict(session.environment), check=False)
        return done.returncode


def _exceptions(target: Target) -> dict[str, Any]:
    config = (yaml.safe_load(target.stack_file().read_text()) or {}).get("config") or {}
    given = config.get("policy:exceptions")
    return {"exceptions": given} if given else {}
