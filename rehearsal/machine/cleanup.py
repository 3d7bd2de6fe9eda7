"""Nothing of a rehearsal stays: machines are found again by label and by folder, also after a crash."""

from __future__ import annotations

import shutil

from rehearsal import docker
from rehearsal.images import throwaway, unused
from rehearsal.machine import container, image, store
from rehearsal.neighbours import sweep as sweep_neighbours


def take_down(name: str) -> bool:
    """Remove every trace of a machine, also of one that a crash left half made; whether there was any."""
    store.check_name(name)
    made = container.find(name)
    container.remove(name)
    known = name in store.names()
    store.forget(name)
    return bool(made) or known


def all_names() -> list[str]:
    """Machines that have a container or a folder: both, unless something crashed."""
    return sorted({*container.machine_names(), *store.names()})


def remove_everything() -> list[str]:
    """All machines of this checkout, the cached images, and the engine if it was started for them; what was done."""
    if docker.engine_problem() is not None:
        return ["No Docker engine answers: nothing can be running.", *_forget_folders()]
    done = [f"Machine '{name}' is gone." for name in all_names() if take_down(name)]
    done += [f"Container {orphan} of a run that has ended is gone." for orphan in throwaway.sweep()]
    done += [f"Namespace {orphan} of a run that has ended is gone." for orphan in sweep_neighbours()]
    done += image.remove_images()
    shutil.rmtree(image.LOCKS, ignore_errors=True)
    if docker.started_pid() and not docker.docker("ps", "--all", "--quiet"):
        docker.stop()
        done.append("The Docker engine that was started for rehearsals has ended.")
    return done or ["There was nothing to remove."]


def sweep(prefix: str) -> list[str]:
    """What runs that have ended left behind: machines called like theirs, and images that nobody wants any more."""
    if docker.engine_problem() is not None:
        return []
    done = [f"machine {name}" for name in all_names() if name.startswith(prefix) and take_down(name)]
    done += [*throwaway.sweep(), *sweep_neighbours()]
    return done + [f"image {tag}" for tag in unused.sweep()]


def status() -> list[str]:
    """One line per machine and per cached image."""
    problem = docker.engine_problem()
    if problem:
        return [f"No machine can be up: {problem}"]
    lines = [_machine_line(name) for name in all_names()] or ["No machine is up."]
    return lines + [f"cached  {name}" for name in image.cached_images()]


def _machine_line(name: str) -> str:
    record = store.load(name)
    found = container.find(name)
    if record is None or not found:
        return f"{name}  left over by a crash: './infra rehearse down {name}' removes it"
    state = container.inspect(found[0])["State"]["Status"]
    return f"{name}  {record.release}  {state}  {record.user}@{record.address}  SSH on 127.0.0.1:{record.port}"


def _forget_folders() -> list[str]:
    names = store.names()
    for name in names:
        store.forget(name)
    return [f"What was noted of machine '{name}' is gone." for name in names]
