"""takeover ACTION, with what the stack wants as a JSON document on standard input, and what was found on the output.

look    what there is; nothing is touched
backup  all of the old database as SQL, read back
ready   what the old stack bears while it serves: its containers outlive the engine, Redis logs every write
take    the old stack stops and its data goes to its new place
sweep   containers of ours that the engine's state does not know go: a killed `up` has left them
done    the new stack serves
back    everything as it was
"""

import fcntl
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from components.containers.onhost.takeover import back, cache, certificate, dump, engine, facts, found, take
from components.containers.onhost.takeover import database as sql
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.journal import FOLDER, Book
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]


def run() -> None:
    wanted = json.loads(sys.stdin.readline())
    try:
        print(json.dumps(act(sys.argv[1], Docker(), Book(), wanted)))
    except (TakeoverError, OSError) as failure:
        sys.exit(str(failure))


def act(action: str, docker: Docker, book: Book, wanted: Facts) -> Facts:
    if action == "look":
        return facts.look(docker, wanted, book.read())
    with alone():
        if action == "backup":
            postgres = the("postgres", docker, wanted)
            stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
            return dump.back_up(docker, postgres["Id"], sql.superuser(postgres), Path(wanted["backups"]), stamp)
        if action == "ready":
            return ready(docker, wanted)
        if action == "sweep":
            return {"removed": back.remove_ours(docker, wanted["known"])}
        if action == "back":
            return back.lead_back(docker, book, wanted)
        return facts.shown(take.take(docker, book, wanted) if action == "take" else take.finished(book))


def the(kind: str, docker: Docker, wanted: Facts) -> Facts:
    old = found.old_stack(docker.containers(), wanted["prefix"])
    some = [each for each in old if found.role(each, wanted["repositories"]) == kind]
    if len(some) != 1:
        raise TakeoverError(f"{len(some)} containers of the old stack are {kind}, where one was expected.")
    return some[0]


def ready(docker: Docker, wanted: Facts) -> Facts:
    old = found.old_stack(docker.containers(), wanted["prefix"])
    told: Facts = {"certificate": False}
    for each in [one for one in old if one["State"]["Running"]]:
        kind = found.role(each, wanted["repositories"])
        if kind == "redis":
            cache.log_every_write(docker, each)
        if kind == "nginx":
            told["certificate"] = certificate.carry_over(
                docker, each, Path(wanted["tls"]), wanted["api"], wanted["nginx"]
            )
    return {**told, "outlives": engine.outlive_a_restart()}


def alone() -> TextIO:
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = (FOLDER / ".lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise TakeoverError("Another run is at work on this server: wait for it, then say it again.") from None
    return handle
