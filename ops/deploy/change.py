"""One change of what runs: written into the stack file, made by the engine, checked, and taken back if it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from neurmatic.settings import NeurmaticSettings
from ops.deploy import mend, stackedit
from ops.deploy.failure import Failure, failure_in
from ops.deploy.onserver import Host, Release, Serving
from ops.emulated import set_up_for
from ops.errors import OperatorError
from ops.inventory import finder
from ops.recover import recover
from ops.repairs import repairs
from ops.server import settings_of
from ops.server_look import AGENT, seen_at
from ops.session import Session, backend_of, open_session, say
from ops.target import Target
from rehearsal.stackfile import laid_over
from rehearsal.workspace import Workspace, write

SECTION = "neurmatic:containers"
Values = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """A stack with a server: its settings as they are, and how to ask the server."""

    target: Target
    settings: NeurmaticSettings
    host: Host

    @property
    def file(self) -> str:
        return "the rehearsal's stack file" if self.target.rehearsal else self.target.stack_file().name


def place_of(target: Target) -> Place:
    set_up_for(target)
    reach_server(open_session(target))
    settings = settings_of(target)
    if not isinstance(settings, NeurmaticSettings):
        raise OperatorError(f"{target.system} runs no containers of its own: this verb is for neurmatic.")
    return Place(target, settings, Host(settings))


def reach_server(session: Session) -> None:
    """By the key that the engine would use, where that is not the person's own."""
    if AGENT in session.environment:
        os.environ[AGENT] = session.environment[AGENT]


def confirmed(question: str, yes: bool) -> None:
    if not yes and not click.confirm(question):
        raise OperatorError("Nothing was changed.")


def make(place: Place, part: str, values: Values, what: str) -> float:
    """Seconds that the engine took. Whatever ends it early, the stack file says afterwards what serves."""
    started = time.monotonic()
    before = after = place.host.serving()
    undo = write_values(place, part, values)
    try:
        failure = _run(place.target)
    except OperatorError:
        # The engine has not begun.
        undo()
        raise
    except KeyboardInterrupt:
        failure = Failure("stop", "it was interrupted.")
    if failure is None:
        return time.monotonic() - started
    say(f"{what} failed: seeing to it that what served goes on serving.")
    try:
        after = settled(place.target, place.host, before)
    finally:
        if after.release == before.release:
            undo()
            agree(place, part, after.release)
    raise OperatorError(_sentence(what, failure, after, place))


def agree(place: Place, part: str, serving: Release) -> None:
    """A run that was killed before this one may have left another release in the file than the one that serves."""
    served = values_of(serving)
    written = place.settings.containers.release
    if (
        part == "release"
        and served
        and (written is None or any(str(getattr(written, k)) != v for k, v in served.items()))
    ):
        write_values(place, part, served)


def values_of(release: Release) -> dict[str, str]:
    """As the stack file has it: images by their digest alone."""
    if not release:
        return {}
    digests = {kind: str(release[kind]).rpartition("@")[2] for kind in ("backend", "frontend")}
    return {"version": str(release["version"]), **digests}


def _run(target: Target) -> Failure | None:
    session = open_session(target)
    recover(session, backend_of(session), target.system, finder(session))
    mend_after_failure(session)
    session, report = seen_at(session)
    # What somebody has changed by hand is put right by this change as well.
    code, output = watched(session, "up", "--yes", "--skip-preview", *repairs(session, report))
    return failure_in(output) if code else None


def settled(target: Target, host: Host, before: Serving) -> Serving:
    """What serves now. A server that does not answer is left alone: the next run sees to it."""
    try:
        serving = host.settle()
        mend.mend(open_session(target), host.containers(), serving.containers)
    except OperatorError as error:
        say(f"The server could not be put in order yet, the next run does it: {error}")
        return before
    return serving


def mend_after_failure(session: Session) -> None:
    """Before an `up`: a change of what serves that ended in the middle has left the state behind the server."""
    if session.target.system != "neurmatic" or not mend.is_half_done(session):
        return
    reach_server(session)
    settings = settings_of(session.target)
    if isinstance(settings, NeurmaticSettings):
        host = Host(settings)
        serving = host.settle()
        if mend.mend(session, host.containers(), serving.containers):
            say("The last change ended in the middle: what it left behind has been put in order.")


def _sentence(what: str, failure: Failure, now: Serving, place: Place) -> str:
    state = f"{now.release['version']} serves" if now.release else "No release serves"
    return f"{what} failed at the gate {failure.gate}: {failure.text}\n{state}, as {place.file} says."


def watched(session: Session, *arguments: str) -> tuple[int, str]:
    """The engine in the foreground, and what it said. An interrupt is the engine's own: it ends in order."""
    command = ["pulumi", "--non-interactive", *arguments, "--stack", session.target.stack]
    process = subprocess.Popen(
        command,
        cwd=session.folder,
        env=dict(session.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    said: list[str] = []
    while True:
        try:
            assert process.stdout is not None  # noqa: S101 (a pipe, as above)
            for line in process.stdout:
                said.append(line)
                sys.stderr.write(line)
            return process.wait(), "".join(said)
        except KeyboardInterrupt:
            say("Interrupted: the engine ends what it is doing. Once more would leave it half done.")


def write_values(place: Place, part: str, values: Values) -> Callable[[], None]:
    """Into the stack file, or into a rehearsal's own settings; returned is what takes them back."""
    target = place.target
    if target.rehearsal:
        workspace = Workspace(target.source, target.rehearsal)
        before = workspace.kept
        workspace.keep(laid_over(before, {SECTION: {part: typed(values)}}))
        return lambda: workspace.keep(before)
    path = target.stack_file()
    text = path.read_text()
    write(path, stackedit.written(path, (SECTION, part), values))
    return lambda: write(path, text)


def typed(values: Values) -> dict[str, object]:
    return {key: int(value) if value.isdigit() else value for key, value in values.items()}


def verify(host: Host, release: Release, wait: float = 30) -> str:
    """What a visitor is told through nginx; one sentence when that is not the new release."""
    end = time.monotonic() + wait
    while True:
        answer = host.answer()
        if answer["status"] == 200:
            break
        if answer["status"] == 400 and "SSL certificate" in str(answer.get("said", "")):
            return "nginx answers nobody but Cloudflare, so the API was not asked through it; its gates were passed."
        if time.monotonic() > end:
            raise OperatorError(
                f"Gate verify: nginx answers {host.settings.containers.health_path} with "
                f"{answer['status'] or 'nothing'} ({answer.get('said', '')}): `./infra rollback` leads back."
            )
        time.sleep(1)
    told = str(answer.get("version") or "")
    if told and told != release["version"]:
        raise OperatorError(f"Gate verify: {told} answers through nginx, and not {release['version']}.")
    return f"nginx answers with {told or 'the new set (the application tells no version)'}."
