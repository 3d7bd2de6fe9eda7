"""Database failure: PostgreSQL's files are gone or damaged. A new cluster takes their place; what is left is kept."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from neurmatic.settings import NeurmaticSettings
from ops.backup.onserver import Scripts
from ops.deploy.change import place_of
from ops.drill.lost import name_of, resources, without
from ops.drill.newserver import asked
from ops.drill.seen import look_at
from ops.drill.server import restore, up
from ops.drill.steps import Steps, spoken
from ops.drill.vault import NAME, Backup, chosen, needs_key
from ops.errors import OperatorError
from ops.recover import replace_state
from ops.server import Server
from ops.server_look import with_key
from ops.session import open_session
from ops.target import Target

# What belongs to a cluster of PostgreSQL and is made again with it: its container, its logins, its settings.
OF_THE_CLUSTER = re.compile(r"stack-postgres(-data|-login.*|-settings|-owner)?")
SECONDS = 300
LISTED = re.compile(rf"(?P<whole>{NAME.pattern})\s+(?P<bytes>\d+)\s+(?P<rest>.*)")


@dataclass(frozen=True)
class Work:
    target: Target
    settings: NeurmaticSettings
    backup: Backup
    backup_identity: Path | None

    @property
    def server(self) -> Server:
        return Server(self.settings.host)

    @property
    def folder(self) -> str:
        return f"{self.settings.host.data}/postgres"

    @property
    def container(self) -> str:
        return f"neurmatic-postgres-{self.settings.environment.value}"

    def announced(self) -> str:
        age = spoken((datetime.now(timezone.utc) - self.backup.taken).total_seconds())
        return (
            f"{self.folder} on {self.server.place} is put aside, and a new cluster made in its place.\n"
            f"Its data comes from {self.backup.name}, {age} old: what was written since is lost, or in the old files."
        )


def looked_at(target: Target, wanted: str | None, identity: Path | None) -> Work:
    """Nothing is touched here."""
    settings = place_of(target).settings
    server, container = Server(settings.host), f"neurmatic-postgres-{settings.environment.value}"
    refuse_living(server, container, settings.containers.postgres.database)
    found = listed(server, settings)
    backup = chosen(found, settings, wanted, datetime.now(timezone.utc))
    needs_key(backup, None if not backup.encrypted else identity)
    return Work(target, settings, backup, identity if backup.encrypted else None)


def refuse_living(server: Server, container: str, database: str) -> None:
    ask = ["docker", "exec", container, "psql", "-XAtq", "-U", "postgres", "-d", database, "-c", "SELECT 1"]
    done = server.run(f"sudo -n {shlex.join(ask)}", "", SECONDS)
    if done.returncode == 0 and done.stdout.strip() == "1":
        raise OperatorError(
            f"{container} answers and has {database}: its cluster has not failed, and nothing was touched. "
            "`./infra restore` goes back to a backup, `./infra recover rows` brings back what was deleted."
        )


def listed(server: Server, settings: NeurmaticSettings) -> list[Backup]:
    """On the server and in the bucket, by the script that needs no database."""
    script = f"{settings.host.root}/infrastructure/scripts/backup.sh"
    done = server.run(f"sudo -n {script} --list", "", SECONDS)
    return sorted(backups_in(done.stdout), key=lambda each: each.name)


def backups_in(text: str) -> list[Backup]:
    """Those here are readable as they are; those in the bucket alone may be sealed."""
    found = []
    for line in text.splitlines():
        if match := LISTED.fullmatch(line):
            taken = datetime.strptime(match["stamp"], "%Y%m%d_%H%M%S").replace(tzinfo=timezone.utc)
            archived = any(word in match["rest"] for word in ("GLACIER", "DEEP_ARCHIVE"))
            found.append(Backup(match["name"], taken, int(match["bytes"]), bool(match["sealed"]), archived))
    return found


def recover(work: Work, steps: Steps, lost_at: datetime) -> None:
    with steps.step("what is left of the old cluster is put aside") as step:
        step.said = f"it lies in {put_aside(work)}: remove it when nobody needs it any more"
    with steps.step("a new cluster, with its logins and settings") as step:
        session = with_key(open_session(work.target), work.settings.host)
        state = json.loads(session.ask("stack", "export"))
        gone = {each["urn"] for each in resources(state) if OF_THE_CLUSTER.fullmatch(name_of(each))}
        replace_state(session, without(state, gone))
        up(session, [])
        step.said = f"{work.container} runs"
    with steps.step("the data out of the newest backup") as step:
        scripts = Scripts(work.server, work.settings.host.root)
        step.said = restore(scripts, work.backup.name, work.backup_identity)
    with steps.step("asked as a visitor asks"):
        steps.facts.update(look_at(work.settings, work.backup))
    steps.lost(work.backup.taken, lost_at)


def put_aside(work: Work) -> str:
    """By name, on the same disk: it takes a moment, and nothing of it is lost."""
    aside = f"{work.folder}.broken-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}"
    script = (
        f"set -e; docker rm --force {work.container} >/dev/null 2>&1 || true; "
        f"if [ -e {work.folder} ]; then mv -- {work.folder} {aside}; else mkdir -m 0700 {aside}; fi"
    )
    asked(work.server, script, "could not put the old cluster aside", SECONDS)
    return aside
