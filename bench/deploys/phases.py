"""When each phase of a deploy began and ended, by those who know: the engine that makes and removes containers, and
the workers of nginx.

    create   the first new backend is made, until the last one is healthy
    switch   nginx has workers that lead to the new set, until those that led to the old one have gone
    drain    the same once more, when the old set is taken out
    delete   the first old backend is told to stop, until the last one is removed
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.load import Phase
from rehearsal.machine import Machine

SCRIPT = Path(__file__).parent / "onhost" / "workers.py"
SETTLE = 3.0
EVENTS = ("create", "health_status", "kill", "die", "destroy")


@dataclass(frozen=True)
class Moment:
    """Something that happened to a container of a backend."""

    at: float
    action: str
    name: str


@dataclass
class Workers:
    """Since when and until when each worker was there."""

    came: dict[int, float] = field(default_factory=dict)
    went: dict[int, float] = field(default_factory=dict)

    def take(self, line: str) -> None:
        words = line.split()
        if len(words) == 3:
            {"+": self.came, "-": self.went}[words[1]][int(words[2])] = float(words[0])

    def reloads(self) -> Iterator[tuple[float, float]]:
        """From the moment when new ones are there until the last one from before has gone."""
        moments = sorted(set(self.came.values()))
        generations = [[moments[0]]] if moments else []
        for moment in moments[1:]:
            if moment - generations[-1][-1] < SETTLE / 3:
                generations[-1].append(moment)
            else:
                generations.append([moment])
        for generation in generations[1:]:
            before = [pid for pid, at in self.came.items() if at < generation[0]]
            yield generation[0], max(self.went.get(pid, time.time()) for pid in before)


@dataclass
class Seen:
    """What was said while somebody listened: the engine forgets all but its last 256 events."""

    workers: Workers = field(default_factory=Workers)
    moments: list[Moment] = field(default_factory=list)

    def take(self, line: str) -> None:
        if line.startswith("{") and "backend" in line:
            self.moments.append(moment(json.loads(line)))


@contextmanager
def watching(machine: Machine) -> Iterator[Seen]:
    seen = Seen()
    wanted = " ".join(f"--filter event={event}" for event in EVENTS)
    engine = f"exec sudo docker events --filter type=container {wanted} --format '{{{{json .}}}}'"
    workers = _told(machine, "exec sudo python3 -I -u -", seen.workers.take, SCRIPT.read_text())
    with workers, _told(machine, engine, seen.take):
        yield seen
        time.sleep(SETTLE)


@contextmanager
def _told(machine: Machine, command: str, take: Callable[[str], None], stdin: str = "") -> Iterator[None]:
    """Each line that a command on the machine says, as it says it."""
    process = subprocess.Popen(machine.ssh_command(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin  # noqa: S101 - a pipe
    process.stdin.write(stdin)
    process.stdin.close()
    listener = threading.Thread(target=_listen, args=(process, take), daemon=True)
    listener.start()
    try:
        yield
    finally:
        process.kill()
        process.wait()
        listener.join()


def _listen(process: subprocess.Popen[str], take: Callable[[str], None]) -> None:
    assert process.stdout  # noqa: S101 - a pipe
    for line in process.stdout:
        take(line)


def moment(event: dict[str, object]) -> Moment:
    actor = event["Actor"]
    assert isinstance(actor, dict)  # noqa: S101 - Docker's own form
    return Moment(float(str(event["timeNano"])) / 1e9, str(event["Action"]), str(actor["Attributes"].get("name", "")))


def phases(seen: Seen) -> list[Phase]:
    """Only those that were seen: what is missing is not measured, and the report says so."""
    happened, workers = seen.moments, seen.workers
    created = times(happened, "create")
    healthy = times(happened, "health_status: healthy")
    gone = times(happened, "destroy")
    told = times(happened, "kill")
    found = []
    if created and healthy:
        found.append(Phase("create", created[0], max(healthy)))
        later = [each for each in workers.reloads() if each[0] > created[0]]
        found += [Phase(name, *reload) for name, reload in zip(("switch", "drain"), later, strict=False)]
    if told and gone:
        found.append(Phase("delete", told[0], gone[-1]))
    return found


def times(happened: Sequence[Moment], action: str) -> list[float]:
    return sorted(each.at for each in happened if each.action == action)
