"""A look at the server before `up`: the engine cannot read it, so it is told whether somebody has changed something."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from components.host.config import HostSettings
from components.host.items import Item
from components.host.report import Report
from components.settings import StackSettings
from ops.drift import look
from ops.errors import OperatorError
from ops.session import Session, say
from ops.stackcheck import check_file
from ops.systems import server_items
from rehearsal import RehearsalError, agent

# Read by __main__.py, which hands it to the converge.
DRIFT = "INFRA_HOST_DRIFT"
AGENT = "SSH_AUTH_SOCK"


Look = Callable[[HostSettings, Sequence[Item]], Report]


def looked_at(session: Session, look: Look = look) -> Session:
    """The session with the drift's fingerprint, and with an agent for a key that the stack file names."""
    return seen_at(session, look)[0]


def seen_at(session: Session, look: Look = look) -> tuple[Session, Report]:
    """The same and what was seen.

    A server that cannot be looked at is no reason to stop: the plan may be about something else.
    """
    nothing = Report()
    settings = settings_of(session)
    host = getattr(settings, "host", None)
    if settings is None or not isinstance(host, HostSettings):
        return session, nothing
    session = with_key(session, host)
    if AGENT not in session.environment:
        if session.target.rehearsal is None:
            say("There is no SSH agent here, so the server was not looked at for changes by hand.")
        return session, nothing
    os.environ[AGENT] = session.environment[AGENT]
    try:
        report = look(host, server_items(settings))
    except OperatorError as error:
        say(f"The server was not looked at for changes by hand: {error}")
        return session, nothing
    if report.drift:
        say(f"{host.address} is not as the stack file says ({len(report.drift)} differences): this run puts it right.")
    return with_variable(session, DRIFT, report.fingerprint), report


def with_key(session: Session, host: HostSettings) -> Session:
    """pulumi-command takes a key's content, which would enter the state, or an agent: so the file goes to an agent."""
    path = host.ssh.private_key_path
    if path is None or session.target.rehearsal is not None:
        return session
    if not Path(path).is_file():
        raise OperatorError(f"There is no file {path}: host.ssh.private_key_path must name your private key.")
    try:
        return with_variable(session, AGENT, str(agent.serve(Path(path), os.getpid())))
    except RehearsalError as error:
        raise OperatorError(str(error)) from None


def with_variable(session: Session, name: str, value: str) -> Session:
    return replace(session, environment={**session.environment, name: value})


def settings_of(session: Session) -> StackSettings | None:
    """Mistakes of the stack file are the program's to report."""
    file = session.folder / f"Pulumi.{session.target.stack}.yaml"
    return check_file(file, rehearsal=session.target.rehearsal is not None).settings
