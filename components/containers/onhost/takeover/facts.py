"""What there is, as one document: containers, database, cache, room on the disks. Nothing is touched."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover import cache, database, found, places
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.journal import Journal
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]


def look(docker: Docker, wanted: Facts, journal: Journal) -> Facts:
    told: Facts = {"phase": journal["phase"], "journal": shown(journal)}
    if not shutil.which("docker"):
        return {**told, "containers": []}
    everything = docker.containers()
    old = found.old_stack(everything, wanted["prefix"])
    kinds = {each["Id"]: found.role(each, wanted["repositories"]) for each in old}
    told["containers"] = [_container(docker, each, kinds[each["Id"]]) for each in old]
    told["ours"] = sorted(found.name(each) for each in everything if found.ours(each))
    told["networks"] = sorted({name for each in told["containers"] for name in each["networks"]})
    told["host_nginx"] = _active("nginx")
    told["free"] = {name: _free(Path(wanted[name])) for name in ("data", "backups")}
    for kind, look_at in (("postgres", _postgres), ("redis", _redis)):
        some = [each for each in old if kinds[each["Id"]] == kind]
        told[kind] = look_at(docker, some[0], wanted) if len(some) == 1 and some[0]["State"]["Running"] else None
    return told


def shown(journal: Journal) -> Journal:
    """Without what passwords are checked by."""
    return {key: value for key, value in journal.items() if key != "roles"}


def _container(docker: Docker, container: Facts, kind: str) -> Facts:
    image = docker.image(container["Image"])
    return {
        "name": found.name(container),
        "kind": kind,
        "service": found.service(container),
        "project": found.project(container),
        "running": container["State"]["Running"],
        "image": container["Config"]["Image"],
        "digests": image.get("RepoDigests") or [],
        "version": ((image.get("Config") or {}).get("Labels") or {}).get("org.opencontainers.image.version", ""),
        "ports": sorted(found.published(container)),
        "networks": sorted(container["NetworkSettings"].get("Networks") or {}),
    }


def _postgres(docker: Docker, container: Facts, wanted: Facts) -> Facts:
    try:
        told = database.look(docker, container, wanted["database"])
    except TakeoverError as error:
        return {"trouble": str(error)}
    target = Path(wanted["data"]) / "postgres" / "pgdata"
    return {**told, **_place(told.get("place", ""), target)}


def _redis(docker: Docker, container: Facts, wanted: Facts) -> Facts:
    try:
        told = cache.look(docker, container)
    except (TakeoverError, KeyError, ValueError) as error:
        return {"trouble": str(error)}
    return {**told, **_place(told["place"], Path(wanted["data"]) / "redis")}


def _place(source: str, target: Path) -> Facts:
    """Where it lies and where it goes; `taken` when somebody else's data lies there."""
    if not source or not Path(source).is_dir():
        return {"place": "", "target": str(target)}
    how = places.plan(Path(source), target)
    return {
        "place": source,
        "target": str(target),
        "how": how,
        "size": places.size(Path(source)),
        "owner": places.owner_of(Path(source)),
        "taken": how != places.STAYED and places.arrived(target),
    }


def _active(unit: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", unit], capture_output=True, check=False).returncode == 0


def _free(folder: Path) -> int:
    room = os.statvfs(places.nearest(folder))
    return room.f_bavail * room.f_frsize
