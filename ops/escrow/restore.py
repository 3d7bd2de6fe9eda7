"""From an envelope back to a stack that works: in whatever backend and under whatever key are in place now."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

from ops.errors import OperatorError
from ops.escrow.envelope import Envelope
from ops.escrow.keep import stack_file
from ops.session import Session, say

# As the engine writes them: the key that is lost, and what only it could read.
OLD_KEY = re.compile(r"^(?:encryptedkey|encryptionsalt): .*\n", re.MULTILINE)
OLD_SECRET = re.compile(r"^  [\w:.-]+:\n    secure: .*\n", re.MULTILINE)


def restore(session: Session, envelope: Envelope, replace: bool) -> None:
    refuse_another(session, envelope)
    count = resources_there(session)
    if count and not replace:
        raise OperatorError(
            f"{session.target.stack} has a state with {described(count)} in its backend. If it is damaged or cannot be "
            "decrypted any more, --replace puts the envelope's in its place."
        )
    if count:
        session.ask("stack", "rm", "--force", "--yes", "--preserve-config")
    if count != 0:
        make_stack(session)
    set_secrets(session, envelope.secrets)
    put_state(session, envelope.state)
    say(f"state: {envelope.about.resources} resources as of {envelope.about.written}, {len(envelope.secrets)} secrets")


def refuse_another(session: Session, envelope: Envelope) -> None:
    about, target = envelope.about, session.target
    if (about.system, about.stack) != (target.system, target.stack):
        raise OperatorError(
            f"The envelope holds {about.system}/{about.stack}, not {target.system}/{target.stack}: "
            "name the stack that it belongs to."
        )


def described(count: int) -> str:
    return "secrets that cannot be read" if count < 0 else f"{count} resources"


def resources_there(session: Session) -> int | None:
    """How many resources the backend's state has; None without a stack, -1 if it cannot be read."""
    listed = json.loads(session.ask_project("stack", "ls", "--json")) or []
    if session.target.stack not in {each["name"].split("/")[-1] for each in listed}:
        return None
    try:
        state = json.loads(session.ask("stack", "export"))
    except OperatorError:
        return -1
    return len((state.get("deployment") or {}).get("resources") or [])


def make_stack(session: Session) -> None:
    """Under the key of today; what the old one had encrypted in the stack file is of no more use."""
    file = session.folder / f"Pulumi.{session.target.stack}.yaml"
    file.write_text(OLD_SECRET.sub("", OLD_KEY.sub("", file.read_text())))
    provider = stack_file(session).get("secretsprovider", "passphrase")
    session.ask_project("stack", "init", session.target.stack, "--secrets-provider", provider)


def set_secrets(session: Session, secrets: Mapping[str, str]) -> None:
    """By standard input: a command line can be read by everybody on the machine."""
    for name, value in sorted(secrets.items()):
        command = ["pulumi", "--non-interactive", "config", "set", "--secret", name, "--stack", session.target.stack]
        done = subprocess.run(
            command,
            cwd=session.folder,
            env=dict(session.environment),
            input=value,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OperatorError(f"The secret {name} could not be set: {done.stderr.strip()}")


def put_state(session: Session, state: Mapping[str, Any]) -> None:
    """The engine encrypts on import what is readable in the file, with the key that the new stack names."""
    fresh = json.loads(session.ask("stack", "export"))["deployment"]
    deployment = {**state["deployment"], "secrets_providers": fresh["secrets_providers"]}
    with private_file(json.dumps({**state, "deployment": deployment})) as file:
        session.ask("stack", "import", "--file", file.name)


def private_file(text: str) -> Any:
    """Only in memory where there is such a place, and readable by nobody else."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (0600, a name that nobody can guess)
    file = tempfile.NamedTemporaryFile("w", suffix=".json", prefix="state-", dir=folder)  # noqa: SIM115 (the caller's)
    file.write(text)
    file.flush()
    return file
