"""What is looked at before a server is brought back: nothing is touched here, and each refusal is a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import click

from components.host.config import HostSettings
from ops import hostkey
from ops.deploy.change import reach_server
from ops.drill import newserver
from ops.drill.ground import settings_in, with_server
from ops.drill.newserver import NewServer
from ops.drill.server import Job
from ops.drill.steps import spoken
from ops.drill.vault import backups, chosen, needs_key
from ops.errors import OperatorError
from ops.escrow import keep
from ops.escrow.envelope import Envelope
from ops.escrow.places import place
from ops.escrow.restore import refuse_another, resources_there
from ops.escrow.verb import unlocked
from ops.server import Server
from ops.session import Session, open_session
from ops.target import Target


@dataclass(frozen=True)
class Wanted:
    """As it was typed."""

    server: str
    envelope: str | None = None
    identity: Path | None = None
    user: str | None = None
    host_key: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    backup: str | None = None
    backup_identity: Path | None = None
    old_is_off: bool = False
    drill: bool = False


def job_for(target: Target, wanted: Wanted, endpoint: str | None = None) -> Job:
    # A drill looks at no backend: what it needs is in the envelope.
    session = None if wanted.drill else open_session(target)
    envelope = opened(target, session, wanted)
    settings = settings_in(envelope, rehearsal=target.rehearsal is not None)
    backup = chosen(backups(settings, envelope.state, endpoint), settings, wanted.backup, datetime.now(timezone.utc))
    needs_key(backup, wanted.backup_identity)
    new = new_server(wanted, settings.host)
    if target.rehearsal is None:
        with_server(envelope, new)
    if session:
        reach_server(session)
    phase = newserver.phase_of(Server(new.settings(settings.host)), settings.host.root, settings.host.data)
    if session and not phase and wanted.envelope:
        refuse_state(session)
    stays = wanted.envelope is None
    return Job(target, envelope, settings, new, backup, wanted.backup_identity, phase, wanted.drill, from_backend=stays)


def new_server(wanted: Wanted, old: HostSettings) -> NewServer:
    if not wanted.drill and not wanted.old_is_off:
        newserver.refuse_living(old.address, wanted.server, old.ssh.port)
    return NewServer(
        address=wanted.server,
        user=wanted.user or old.ssh.user,
        host_key=newserver.shown_key(wanted.server, old.ssh.port, wanted.host_key),
        ipv4=newserver.public_address(wanted.server, wanted.ipv4),
        ipv6=wanted.ipv6,
    )


def opened(target: Target, session: Session | None, wanted: Wanted) -> Envelope:
    """The sealed copy, or what the backend knows where that has survived."""
    if wanted.envelope is None:
        if session is None:
            raise OperatorError("A drill begins with the envelope: --envelope FILE -i KEYFILE (docs/state.md).")
        if not resources_there(session):
            raise OperatorError(
                f"The backend has no state of {session.target.stack}: --envelope names the sealed copy (docs/state.md "
                "says where it lies), and -i its key."
            )
        return keep.collect(session, "recover server")
    if wanted.identity is None:
        raise OperatorError("--envelope needs -i KEYFILE, the private key that opens it.")
    envelope = unlocked(place(wanted.envelope), wanted.identity)
    refuse_another(session or Session(target, target.source, {}), envelope)
    return envelope


def refuse_state(session: Session) -> None:
    if resources_there(session):
        raise OperatorError(
            f"The backend has a state of {session.target.stack}, which is newer than any envelope: leave --envelope "
            "out. If that state is damaged, `./infra escrow restore --replace` comes first."
        )


def announced(job: Job) -> str:
    """What is about to happen, for a person to judge."""
    old, new, backup = job.settings.host, job.new, job.backup
    age = spoken((datetime.now(timezone.utc) - backup.taken).total_seconds())
    rows = [
        f"State     as of {job.envelope.about.written}, {job.envelope.about.resources} resources",
        f"Backup    {backup.name}, {backup.size}, {age} old: what was written since is lost",
        f"Server    {new.user}@{new.address}, host key {hostkey.fingerprint(new.host_key)}",
    ]
    if job.drill:
        rows += [
            "A DRILL   beside the living stack: the bucket is only read; DNS, the state and its server are left alone;",
            "          third parties get no key. The server holds a copy of the real data: reinstall it afterwards.",
        ]
    else:
        rows += [
            f"Instead   of {old.address}, which must not come back",
            f"Then      {', '.join(job.settings.site.names)} lead to {new.ipv4}",
        ]
    if backup.archived:
        rows.append("The backup lies in the archive: its retrieval takes up to 5 hours before anything can be loaded.")
    return "\n".join(rows)


def confirmed(job: Job, wanted: Wanted, yes: bool) -> None:
    click.echo(announced(job))
    if yes and wanted.host_key is None:
        raise OperatorError("--yes needs --host-key: without it nobody has compared the server's key with its console.")
    if yes:
        return
    question = "Compare the host key with the provider's console. Is it that one, and shall it begin?"
    if not click.confirm(question):
        raise OperatorError("Nothing was changed.")
