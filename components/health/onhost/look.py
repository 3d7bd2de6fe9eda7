"""All looks at once, and an end to it: what has not answered by then is a finding, not a wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from components.health.onhost import machine, others, stores, traffic, web
from components.health.onhost.containers import EngineError, Stack, judged, stack
from components.health.onhost.finding import Finding, broken, critical, unknown, warning

SECONDS = 10.0
# What cannot be known while the engine does not answer.
INSIDE = ("postgres", "redis", "error rate")

Probe = Callable[[], Iterable[Finding]]


class Looks:
    """Probes by name, each in a thread of its own: none can hold up another."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._found: dict[str, list[Finding]] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, name: str, probe: Probe) -> None:
        thread = threading.Thread(target=self._run, args=(name, probe), daemon=True)
        self._threads[name] = thread
        thread.start()

    def wait(self, *names: str) -> None:
        for name in names or tuple(self._threads):
            self._threads[name].join(max(0.0, self._end - time.monotonic()))

    def findings(self) -> list[Finding]:
        late = [critical(name, f"gave no answer within {self._seconds:g} s") for name in self._threads]
        return [each for one in late for each in self._found.get(one.name, [one])]

    def _run(self, name: str, probe: Probe) -> None:
        try:
            self._found[name] = list(probe())
        except Exception as error:  # one look that fails must not hide the others
            self._found[name] = [warning(name, f"could not be looked at: {type(error).__name__}: {error}")]


def look(settings: Mapping[str, Any], cpu_before: Sequence[float] = ()) -> list[Finding]:
    looks, versions = Looks(), dict[str, str]()
    for name in settings["pages"]:
        looks.start(name, lambda name=name: web.through_nginx(name, settings))  # type: ignore[misc]
    looks.start("disk", lambda: machine.disks(settings))
    looks.start("memory", lambda: machine.memory(settings))
    looks.start("cpu", lambda: machine.cpu(settings, cpu_before))
    looks.start("clock", machine.clock)
    looks.start("units", lambda: machine.units(settings))
    looks.start("certificate", lambda: others.certificate(settings))
    looks.start("backup", lambda: others.backup(settings))
    inside(looks, settings, versions)
    looks.wait()
    return [*looks.findings(), *web.versions_agree(versions)]


def inside(looks: Looks, settings: Mapping[str, Any], versions: dict[str, str]) -> None:
    """What needs the engine: it is asked first."""
    answered: list[Stack] = []
    looks.start("docker", lambda: containers(settings, answered))
    looks.wait("docker")
    if not answered:
        looks.start("inside", lambda: [unknown(name, "Docker does not answer") for name in INSIDE])
        return
    [whole] = answered
    looks.start("postgres", lambda: stores.postgres(whole, settings))
    looks.start("redis", lambda: stores.redis(whole, settings))
    looks.start("traffic", lambda: traffic.judged(whole, settings))
    for name, one in whole.of("backend"):
        looks.start(name, lambda name=name, one=one: web.backend(name, one, settings, versions))  # type: ignore[misc]


def containers(settings: Mapping[str, Any], answered: list[Stack]) -> Iterable[Finding]:
    try:
        whole = stack(settings)
    except EngineError as error:
        return [broken("docker", f"{error}: no container can be looked at or changed (`systemctl status docker`)")]
    answered.append(whole)
    return judged(whole)
