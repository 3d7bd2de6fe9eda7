"""The engine at work on one stack: where it runs, with which environment, and how it is called.

A real stack and a rehearsal differ here and nowhere else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ops import engine
from ops.errors import OperatorError
from ops.systems import secrets_of
from ops.target import POLICY_PACK, Target
from rehearsal import RehearsalError, official
from rehearsal.workspace import REHEARSAL, Workspace, machine_of

MARKER = "rehearsal.json"
# Measured with 3.255: the engine logs a stack's secret outputs from 3 on, some inputs from 7, all secrets from 9.
LOUDEST = 2


@dataclass(frozen=True)
class Session:
    target: Target
    folder: Path
    environment: Mapping[str, str]

    def pulumi(self, *arguments: str) -> int:
        """The engine in the foreground: its questions and its answers are the operator's own."""
        command = ["pulumi", *arguments, "--stack", self.target.stack]
        process = subprocess.Popen(command, cwd=self.folder, env=dict(self.environment))
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The engine got the same signal and ends in order; leaving first would orphan it.
                continue

    def ask(self, *arguments: str) -> str:
        """The engine's answer as text."""
        return self.ask_project(*arguments, "--stack", self.target.stack)

    def ask_project(self, *arguments: str) -> str:
        """The same for a question that is not about one stack."""
        command = ["pulumi", "--non-interactive", *arguments]
        result = subprocess.run(
            command, cwd=self.folder, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise OperatorError(f"`pulumi {' '.join(arguments[:2])}` failed: {result.stderr.strip()}")
        return result.stdout


def open_session(target: Target) -> Session:
    target.stack_file()
    folder = engine.ensure(say)
    base = with_policies(engine.environment(os.environ, folder))
    return _rehearsal(target, base) if target.rehearsal else _real(target, base)


def with_policies(environment: Mapping[str, str]) -> dict[str, str]:
    """Bare `pulumi preview` and `pulumi up` under this environment are policy-checked."""
    return {**environment, "PULUMI_OPTION_POLICY_PACK": str(POLICY_PACK)}


def _rehearsal(target: Target, base: Mapping[str, str]) -> Session:
    name = target.rehearsal or "default"
    try:
        workspace = Workspace(target.source, name, machine_of(name), official=official.wanted())
        environment = with_policies(workspace.environment(base))
        workspace.prepare(target.stack, environment, secrets_of(target.system))
    except RehearsalError as error:
        raise OperatorError(str(error)) from None
    return Session(target, workspace.project, environment)


def _real(target: Target, base: Mapping[str, str]) -> Session:
    home = base.get("PULUMI_HOME")
    if REHEARSAL in base or (home and (Path(home) / MARKER).exists()):
        raise OperatorError(
            "This shell belongs to a rehearsal, whose plugins only play at being clouds: "
            f"leave it to work on {target.stack}, or add --rehearsal."
        )
    return Session(target, target.source, base)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def options(arguments: Sequence[str]) -> list[str]:
    """What follows `--` is the engine's own business, except for what would show secrets."""
    given = [argument for argument in arguments if argument != "--"]
    said = re.search(r"(?:^| )(?:-v|--verbose)[= ]?([0-9]+)\b", " ".join(given))
    if said and int(said.group(1)) > LOUDEST:
        raise OperatorError(
            f"From -v={LOUDEST + 1} on the engine's log has secrets in plain text, so ./infra passes on -v={LOUDEST} "
            "at most. Where nobody else reads along, `./infra shell` has a `pulumi` that takes more."
        )
    return given


def backend_of(session: Session) -> str:
    """Where the stack's state is: the environment's choice before the project's."""
    chosen = session.environment.get("PULUMI_BACKEND_URL")
    if chosen:
        return chosen
    project = yaml.safe_load((session.target.source / "Pulumi.yaml").read_text())
    return str((project.get("backend") or {}).get("url", ""))
