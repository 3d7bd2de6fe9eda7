"""Loss of the whole server: from the envelope and an empty machine to HTTPS with the newest backup's data.

A drill walks the same way on a server beside the living, and stops before anything that the living would notice.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from components.values import Issuer
from neurmatic.settings import NeurmaticSettings
from ops.backup.onserver import Scripts
from ops.drill import ground, newserver
from ops.drill.heard import heard
from ops.drill.lost import cut_off, harmless, without_server
from ops.drill.newserver import BEGUN, RESTORED, NewServer, asked
from ops.drill.seen import look_at
from ops.drill.steps import Steps
from ops.drill.vault import Backup
from ops.errors import OperatorError
from ops.escrow.envelope import Envelope
from ops.escrow.keep import refresh
from ops.escrow.restore import put_state, resources_there
from ops.escrow.restore import restore as put_back
from ops.server import Server
from ops.server_look import with_key
from ops.session import Session, say
from ops.target import Target
from ops.up import put_in_order

# In the state already, and left as they are. DNS is among them: visitors come when the data is there.
CLOUDS = ("**$aws:**", "**::aws:**", "**$cloudflare:**", "**::cloudflare:**")
CERTIFICATE = "**::certificate-first"
COUNTED = re.compile(r"\d+ tables, \d+ rows$")


@dataclass(frozen=True)
class Job:
    target: Target
    envelope: Envelope
    settings: NeurmaticSettings
    """As they were, with the server that is lost."""
    new: NewServer
    backup: Backup
    backup_identity: Path | None = None
    phase: str = ""
    """How far a run before this one has come."""
    drill: bool = False
    """Beside the living: no cloud is touched, and nobody hears of it."""
    from_backend: bool = False
    """The state is the backend's own, and stays there."""

    @property
    def server(self) -> Server:
        return Server(self.new.settings(self.settings.host))

    @property
    def now(self) -> NeurmaticSettings:
        return self.settings.model_copy(update={"host": self.new.settings(self.settings.host)})


def recover(job: Job, steps: Steps, lost_at: datetime) -> None:
    """Each step can be done again: a run that was cut off is completed by the same command."""
    with ExitStack() as stack:
        with steps.step("state and settings out of the envelope") as step:
            session = stack.enter_context(opened(job))
            resources = brought_back(job, session)
            # Not before: what has the mark is gone on with, and then the state has to be there.
            newserver.mark(job.server, job.phase or BEGUN)
            step.said = (
                f"{resources} resources, {len(job.envelope.secrets)} secrets, as of {job.envelope.about.written}"
            )
        with steps.step("the server becomes what it was") as step:
            up(session, left_alone(job), again=bool(job.phase))
            step.said = f"{job.new.address}: hardened, and its containers run"
        with steps.step("the data out of the bucket") as step:
            step.said = restored(job)
        if not job.drill:
            with steps.step("DNS and certificate lead here") as step:
                up(session, [])
                newserver.unmark(job.server)
                refresh(session, "recover server")
                step.said = f"{', '.join(job.settings.site.names)} -> {job.new.ipv4}"
        with steps.step("asked as a visitor asks"):
            steps.facts.update(look_at(job.now, job.backup))
    steps.lost(job.backup.taken, lost_at)


@contextmanager
def opened(job: Job) -> Iterator[Session]:
    """With an agent for the key that the stack file names."""
    target = job.target
    if target.rehearsal:
        yield ground.rehearsed(target, job.envelope, job.new)
    elif job.drill:
        with ground.apart(target, job.envelope, job.new) as session:
            yield with_key(session, job.server.settings)
    else:
        yield with_key(ground.real(target, job.envelope, job.new), job.server.settings)


def brought_back(job: Job, session: Session) -> int:
    """What is left of the state, and whatever was on the server forgotten."""
    state = without_server(job.envelope.state)
    if job.phase and resources_there(session):
        say("A recovery of this server has begun before: it goes on with the state as that has left it.")
    elif job.from_backend:
        put_state(session, state)
    else:
        secrets = harmless(job.envelope.secrets) if job.drill else job.envelope.secrets
        put_back(session, replace(job.envelope, state=cut_off(state) if job.drill else state, secrets=secrets), False)
    return len(state["deployment"]["resources"])


def left_alone(job: Job) -> list[str]:
    """Let's Encrypt counts tries that fail: it is asked when the names lead here, and not for a drill."""
    by_cloudflare = job.settings.containers.certificates.issuer is Issuer.CLOUDFLARE_ORIGIN
    return [*CLOUDS, *([] if by_cloudflare else [CERTIFICATE])]


def up(session: Session, excluded: Sequence[str], again: bool = False) -> None:
    if again:
        put_in_order(session)
    words = [word for each in excluded for word in ("--exclude", each)]
    if session.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", *words):
        raise OperatorError(
            "The engine did not come to its end: see above. The same command goes on from here when that is put right."
        )


def restored(job: Job) -> str:
    """Nothing was in the database that the `up` has just made: it makes room, instead of being kept and dumped."""
    if job.phase == RESTORED:
        return f"{job.backup.name} was restored by the run before"
    postgres = job.settings.containers.postgres
    container = f"neurmatic-postgres-{job.settings.environment.value}"
    drop = f'DROP DATABASE IF EXISTS "{postgres.database}" WITH (FORCE)'
    asked(job.server, f"docker exec {container} psql -Xq -U postgres -d postgres -c '{drop}'", "has no PostgreSQL")
    said = restore(Scripts(job.server, job.settings.host.root), job.backup.name, job.backup_identity)
    newserver.mark(job.server, RESTORED)
    return said


def restore(scripts: Scripts, name: str, identity: Path | None, *more: str) -> str:
    """By the script on the server, as an operator does it by hand; what it says goes to the terminal as well."""
    with ExitStack() as stack:
        lent = ["--identity", stack.enter_context(scripts.lent(identity, "/run", "identity"))] if identity else []
        path = f"{scripts.root}/infrastructure/scripts/restore.sh"
        words = ["sudo", "-n", path, name, "--yes", *lent, *more]
        code, lines = heard(scripts.server.ssh(" ".join(words)), sys.stderr)
    if code:
        raise OperatorError(f"{name} was not restored: {lines[-1] if lines else 'the connection broke'}")
    counted = next((line for line in lines if COUNTED.search(line)), name)
    compared = any("nothing is missing" in line for line in lines)
    return f"{counted}{'; compared table by table with what it was taken from' if compared else ''}"
