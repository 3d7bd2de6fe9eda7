"""`logs SERVICE [--since 1h] [--follow] [-n 100]`: by the service's own name, whichever container it is just now.

With --follow it goes on to the next container when one is replaced, so that a deploy can be watched. It ends when its
standard input does: that is how a laptop that has gone away is noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.health.onhost.containers import Container, EngineError, listed, served

TICK = 1.0


def main(settings_file: str, arguments: Sequence[str]) -> int:
    given = parsed(arguments)
    if os.geteuid() != 0:
        return refused("Logs are Docker's: run this as root (sudo).")
    try:
        settings = json.loads(Path(settings_file).read_text())
        wanted = matching(given.service, listed(settings["labels"], settings["names"]), settings)
    except EngineError as error:
        return refused(f"Docker does not answer: {error}.")
    except (OSError, ValueError) as error:
        return refused(f"{settings_file} cannot be read ({error}): `./infra up` writes it.")
    if isinstance(wanted, str):
        return refused(wanted)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    return followed(given, settings) if given.follow else printed(given, wanted)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="logs", description="What a service writes.")
    parser.add_argument("service", help="backend-1, backend (all of them), frontend, nginx, postgres, redis")
    parser.add_argument("--since", default="", help="such as 1h, 10m or 2026-11-21T20:00:00Z")
    parser.add_argument("--follow", action="store_true", help="go on until you stop it")
    parser.add_argument("-n", "--lines", default="100", help="of each container, the last so many")
    return parser.parse_args(arguments)


def refused(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def matching(service: str, found: Sequence[Container], settings: Mapping[str, Any]) -> list[Container] | str:
    """One container for each name: of several the one that serves, else the youngest. Or a sentence."""
    serving = set(served(settings))
    best: dict[str, Container] = {}
    for each in sorted(found, key=lambda one: (one.name in serving, one.running, one.state.get("StartedAt", ""))):
        best[each.service] = each
    chosen = [each for name, each in sorted(best.items()) if service in (name, name.partition("-")[0])]
    if chosen:
        return chosen
    known = sorted({*best, *(name.partition("-")[0] for name in best)})
    there = ", ".join(known) if known else "none: no container of this stack is on this server"
    return f"There is no service {service!r}; there is {there}."


def command(given: argparse.Namespace, one: Container, since: str, lines: str) -> list[str]:
    bounds = [*(["--since", since] if since else []), *(["--tail", lines] if lines else [])]
    return ["docker", "logs", *bounds, *(["--follow"] if given.follow else []), one.id]


def printed(given: argparse.Namespace, wanted: Sequence[Container]) -> int:
    status = 0
    for each in wanted:
        reader = start(given, each, given.since, given.lines, named=len(wanted) > 1)
        reader.join()
        status = max(status, reader.status)
    return status


class Reading(threading.Thread):
    """One `docker logs`, its lines handed on whole: with the service's name before them where there are several."""

    def __init__(self, argv: Sequence[str], prefix: str) -> None:
        super().__init__(daemon=True)
        self.status = 0
        self._prefix = prefix.encode()
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - by PIPE
        try:
            for line in self._process.stdout:
                os.write(1, self._prefix + line)
        except BrokenPipeError:
            os._exit(0)  # whoever reads has enough
        self.status = 1 if self._process.wait() else 0

    def end(self) -> None:
        self._process.terminate()


def start(given: argparse.Namespace, one: Container, since: str, lines: str, named: bool) -> Reading:
    reader = Reading(command(given, one, since, lines), f"{one.service} | " if named else "")
    reader.start()
    return reader


def followed(given: argparse.Namespace, settings: Mapping[str, Any]) -> int:
    """Every container that bears the name while this runs: an old set goes on until it is gone."""
    gone = threading.Event()
    threading.Thread(target=listen, args=(gone,), daemon=True).start()
    readers: dict[tuple[str, str], Reading] = {}
    first = True
    while not gone.is_set():
        for each in of_service(given.service, settings):
            # Started again, the same container is followed anew from there on.
            key = (each.id, str(each.state.get("StartedAt", "")))
            if each.running and key not in readers:
                since, lines = (given.since, given.lines) if first else (key[1], "")
                readers[key] = start(given, each, since, lines, named=True)
        first = False
        gone.wait(TICK)
    for reader in readers.values():
        reader.end()
    return 0


def of_service(service: str, settings: Mapping[str, Any]) -> list[Container]:
    try:
        found = listed(settings["labels"], settings["names"])
    except EngineError:
        return []  # it restarts now and then; containers go on meanwhile
    return [each for each in found if service in (each.service, each.service.partition("-")[0])]


def listen(gone: threading.Event) -> None:
    if sys.stdin.isatty():
        return
    while sys.stdin.buffer.read(4096):
        pass
    gone.set()
