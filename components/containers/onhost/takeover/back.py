"""The way back: our containers go, the data returns, the old stack starts as it was. Each step can be said again."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover import database, found, places
from components.containers.onhost.takeover.docker import Docker, wait_until_stopped
from components.containers.onhost.takeover.journal import BACK, NOTHING, Book, Journal
from components.containers.onhost.takeover.problem import TakeoverError
from components.containers.onhost.takeover.take import MARKS, POSTGRES_SECONDS, leave_if_there, of_kind, stop

Facts = dict[str, Any]
READY_SECONDS = 60
SECONDS = 30


def lead_back(docker: Docker, book: Book, wanted: Facts) -> "dict[str, Any]":
    journal = book.read()
    if journal["phase"] == NOTHING:
        raise TakeoverError("Nothing has been taken over on this server, so nothing leads back.")
    missing = [each["name"] for each in of_kind(journal, "postgres", "redis") if not docker.state(each["id"])]
    if missing:
        raise TakeoverError(f"The old containers are gone ({', '.join(missing)}): nothing leads back to them.")
    if journal["phase"] != BACK:
        journal |= {"phase": BACK, "stamp": time.strftime("%Y%m%d_%H%M%S", time.gmtime())}
        book.write(journal)
    remove_ours(docker)
    free_ours(docker, journal)
    for each in journal["containers"]:
        stop(docker, [each], SECONDS)
    kept = [path for kind, plan in journal["moves"].items() if (path := give_back(plan, kind, journal["stamp"]))]
    cluster = Path(journal["moves"]["postgres"]["source"])
    database.give_back_files(cluster, (database.CONF, database.AUTO))
    give_names_back(docker, journal)
    start_postgres(docker, journal, cluster)
    start_others(docker, journal)
    Path(wanted["record"]).unlink(missing_ok=True)
    book.close(journal["stamp"])
    return {"kept": kept}


def remove_ours(docker: Docker, known: "Collection[str]" = ()) -> "list[str]":
    """All but those that are known. Their data lies outside of them; PostgreSQL ends in order, or it could not move."""
    mine = [each for each in docker.containers() if found.ours(each) and found.name(each) not in known]
    for each in sorted(mine, key=_rank):
        if each["State"]["Running"] and _service(each) == "postgres":
            docker.signal(each["Id"], "SIGINT")
            if not wait_until_stopped(docker, each["Id"], POSTGRES_SECONDS):
                raise TakeoverError(f"{found.name(each)} did not stop within {POSTGRES_SECONDS} s.")
        elif each["State"]["Running"]:
            docker.stop([each["Id"]], SECONDS)
        docker.remove(each["Id"])
    return [found.name(each) for each in mine]


def free_ours(docker: Docker, journal: Journal) -> None:
    """The network of the old stack's name, where it is ours by now."""
    old = journal["network"]
    if old and (now := docker.network(old["Name"])) and (now.get("Labels") or {}).get("product") == "neurmatic":
        docker.remove_network(old["Name"])


def _rank(container: Facts) -> int:
    kind = _service(container)
    return found.ORDER.index(kind) if kind in found.ORDER else 0


def _service(container: Facts) -> str:
    return str((container["Config"].get("Labels") or {}).get("service", ""))


def give_back(plan: Facts, kind: str, stamp: str) -> str:
    """A copy is kept beside the original, which has nothing of what was written since: returned is where."""
    source, target, aside = (Path(plan[each]) for each in ("source", "target", "aside"))
    kept = ""
    if plan["how"] == places.COPIED:
        copy = next((each for each in (target, aside) if each.exists() and places.arrived(each, MARKS[kind])), None)
        if copy is not None:
            kept = f"{plan['aside']}-until-{stamp}"
            copy.rename(kept)
    else:
        places.bring(target, source, aside, MARKS[kind])
    places.owned(source, *plan["owner"])
    if kind == "postgres" and target.parent.is_dir() and target.parent != source and not any(target.parent.iterdir()):
        target.parent.rmdir()
    return kept


def give_names_back(docker: Docker, journal: Journal) -> None:
    now = {each["Id"]: found.name(each) for each in docker.containers()}
    old = journal["network"]
    if old and not docker.network(old["Name"]):
        docker.create_network(old)
    for each in journal["containers"]:
        if now.get(each["id"], each["name"]) != each["name"]:
            docker.rename(each["id"], each["name"])
        if old and old["Name"] in each["networks"]:
            leave_if_there(docker, old["Name"], each["id"])
            docker.join(old["Name"], each["id"], each["networks"][old["Name"]])


def start_postgres(docker: Docker, journal: Journal, cluster: Path) -> None:
    """With our rules about who may log in until its roles are as they were, then with its own."""
    (postgres,) = of_kind(journal, "postgres")
    if not docker.state(postgres["id"]).get("Running"):
        docker.start([postgres["id"]])
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            database.restore_roles(docker, postgres["id"], journal)
            break
        except TakeoverError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
    database.give_back_files(cluster, (database.HBA,))
    docker.signal(postgres["id"], "SIGHUP")


def start_others(docker: Docker, journal: Journal) -> None:
    """Those that ran."""
    for kind in found.START:
        some = [each for each in of_kind(journal, kind) if each["running"] and docker.state(each["id"])]
        if some and kind != "postgres":
            docker.start([each["id"] for each in some])
        for each in of_kind(journal, kind):
            if docker.state(each["id"]):
                docker.restart_policy(each["id"], each["restart"])
