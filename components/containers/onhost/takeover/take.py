"""The short part: the old stack stops, and its data goes where ours will look for it. Each step can be said again."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover import cache, database, found, places
from components.containers.onhost.takeover.docker import Docker, wait_until_stopped
from components.containers.onhost.takeover.journal import DONE, NOTHING, TAKEN, TAKING, Book, Journal
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]
STOP_SECONDS = {"redis": 60, "nginx": 10}
OTHERS_SECONDS, POSTGRES_SECONDS = 30, 120
# Whom the containers of the alpine images run as.
OWNERS = {"postgres": (70, 70), "redis": (999, 1000)}
MARKS = {"postgres": database.MARK, "redis": ""}


def take(docker: Docker, book: Book, wanted: Facts) -> Journal:
    journal = book.read()
    if journal["phase"] in (TAKEN, DONE):
        return journal
    if journal["phase"] != TAKING:
        journal = noted(docker, wanted)
        book.write(journal)
    for step in (stop_askers, rename_superuser, stop_redis, stop_postgres, step_aside, free_the_network):
        step(docker, journal)
    for kind in journal["moves"]:
        move(journal["moves"][kind], kind, lambda: book.write(journal))
    database.prepare_files(Path(journal["moves"]["postgres"]["target"]))
    owned("postgres", journal)
    journal["phase"] = TAKEN
    book.write(journal)
    return journal


def noted(docker: Docker, wanted: Facts) -> Journal:
    """Everything that the way back needs, before the first thing is touched."""
    old = found.old_stack(docker.containers(), wanted["prefix"])
    kinds = {each["Id"]: found.role(each, wanted["repositories"]) for each in old}
    there = {kind: next((each for each in old if kinds[each["Id"]] == kind), None) for kind in OWNERS}
    postgres = there["postgres"]
    if postgres is None or not postgres["State"]["Running"]:
        raise TakeoverError("The old PostgreSQL does not run any more: start it, then say it again.")
    user = database.superuser(postgres)
    roles = database.roles(docker, postgres["Id"], user)
    return {
        "phase": TAKING,
        "began": time.time(),
        "containers": [_container(each, kinds[each["Id"]]) for each in old],
        "network": docker.network(wanted["network"]),
        "superuser": user,
        "called": database.renamed(user, roles, wanted["owner"]),
        "roles": roles,
        "moves": {kind: _move(docker, each, kind, wanted) for kind, each in there.items() if each is not None},
    }


def _container(container: Facts, kind: str) -> Facts:
    networks = container["NetworkSettings"].get("Networks") or {}
    return {
        "id": container["Id"],
        "name": found.name(container),
        "kind": kind,
        "running": container["State"]["Running"],
        "restart": _policy(container["HostConfig"].get("RestartPolicy") or {}),
        # The engine adds the short id by itself.
        "networks": {
            name: [each for each in there.get("Aliases") or [] if not container["Id"].startswith(each)]
            for name, there in networks.items()
        },
    }


def _policy(policy: Facts) -> str:
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{most}" if most else name


def _move(docker: Docker, container: Facts, kind: str, wanted: Facts) -> Facts:
    if kind == "postgres":
        told, target = database.look(docker, container, wanted["database"]), f"{wanted['data']}/postgres/pgdata"
    else:
        told, target = cache.look(docker, container), f"{wanted['data']}/redis"
    source = Path(told["place"])
    return {
        "source": str(source),
        "target": target,
        "aside": f"{wanted['data']}/.takeover-{kind}",
        "how": places.plan(source, Path(target)),
        "owner": places.owner_of(source),
    }


def of_kind(journal: Journal, *kinds: str) -> "list[Facts]":
    return [each for each in journal["containers"] if each["kind"] in kinds]


def stop_askers(docker: Docker, journal: Journal) -> None:
    """Whoever asks the database ends first, and in between nobody is started again. Then the old front door."""
    for each in journal["containers"]:
        docker.restart_policy(each["id"], "no")
    stop(docker, of_kind(journal, "other", "backend", "frontend"), OTHERS_SECONDS)
    stop(docker, of_kind(journal, "nginx"), STOP_SECONDS["nginx"])


def stop(docker: Docker, some: "Iterable[Facts]", seconds: int) -> None:
    there = [each["id"] for each in some if docker.state(each["id"]).get("Running")]
    if there:
        docker.stop(there, seconds)


def rename_superuser(docker: Docker, journal: Journal) -> None:
    """While it still runs; nobody else asks it any more. Stopped already, it has been done."""
    (postgres,) = of_kind(journal, "postgres")
    if not docker.state(postgres["id"]).get("Running"):
        return
    if journal["called"] != journal["superuser"]:
        database.rename(docker, postgres["id"], journal["superuser"], journal["called"])
    elif journal["called"] != database.SUPERUSER and database.SUPERUSER in _superusers(journal):
        database.demote(docker, postgres["id"], journal["called"])


def _superusers(journal: Journal) -> "set[str]":
    return {each["name"] for each in journal["roles"] if each["super"]}


def stop_redis(docker: Docker, journal: Journal) -> None:
    stop(docker, of_kind(journal, "redis"), STOP_SECONDS["redis"])


def stop_postgres(docker: Docker, journal: Journal) -> None:
    """SIGINT ends sessions; the image of somebody else's may have another signal, which waits for them."""
    (postgres,) = of_kind(journal, "postgres")
    if docker.state(postgres["id"]).get("Running"):
        docker.signal(postgres["id"], "SIGINT")
        if not wait_until_stopped(docker, postgres["id"], POSTGRES_SECONDS):
            raise TakeoverError(f"The old PostgreSQL did not stop within {POSTGRES_SECONDS} s.")
    place = journal["moves"]["postgres"]
    at = next((Path(place[each]) for each in ("aside", "source") if _is_cluster(Path(place[each]))), None)
    if at is not None and not database.is_shut_down(at):
        raise TakeoverError(f"The cluster in {at} was not shut down cleanly, so it stays where it is.")


def _is_cluster(folder: Path) -> bool:
    return (folder / database.CONTROL).exists()


def step_aside(docker: Docker, journal: Journal) -> None:
    """Their names are ours from now on."""
    now = {each["Id"]: found.name(each) for each in docker.containers()}
    for each in journal["containers"]:
        if now.get(each["id"]) == each["name"]:
            docker.rename(each["id"], f"{found.ASIDE}{each['name']}")


def free_the_network(docker: Docker, journal: Journal) -> None:
    """A network has no other name to go by: it goes, and the way back makes it again."""
    old = journal["network"]
    if not old or docker.network(old["Name"]).get("Id") != old["Id"]:
        return
    for each in journal["containers"]:
        if old["Name"] in each["networks"] and docker.state(each["id"]):
            leave_if_there(docker, old["Name"], each["id"])
    docker.remove_network(old["Name"])


def leave_if_there(docker: Docker, network: str, which: str) -> None:
    member = next((each for each in docker.containers() if each["Id"] == which), None)
    if member and network in (member["NetworkSettings"].get("Networks") or {}):
        docker.leave(network, which)


def move(plan: Facts, kind: str, note: Callable[[], None]) -> None:
    source, target, aside = (Path(plan[each]) for each in ("source", "target", "aside"))
    how = places.bring(source, target, aside, MARKS[kind])
    if how != plan["how"] and how == places.COPIED:
        # Two places that only look as if they were on one file system.
        plan["how"] = how
        note()
    places.owned(target, *OWNERS[kind])


def owned(kind: str, journal: Journal) -> None:
    """PostgreSQL's folder and the one above it, which holds nothing else."""
    target = Path(journal["moves"][kind]["target"])
    places.owned(target, *OWNERS[kind])
    target.chmod(0o700)
    places.owned(target.parent, *OWNERS[kind])
    target.parent.chmod(0o700)


def finished(book: Book) -> Journal:
    journal = book.read()
    if journal["phase"] not in (NOTHING, DONE):
        journal |= {"phase": DONE, "ended": time.time()}
        book.write(journal)
    return journal
