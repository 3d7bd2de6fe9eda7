"""What the scripts on the server ask its Docker engine. Standard library only."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

WORDS = "10"
"""Lines of a container's log that an operator is shown."""

Wanted = Mapping[str, Any]
# Containers by what they are one of: "backends" and "frontends".
Sets = dict[str, list[str]]


class FailureError(Exception):
    """One sentence for the operator, which begins with the gate that was not passed."""

    def __init__(self, gate: str, text: str) -> None:
        super().__init__(f"Gate {gate}: {text}")


class CommandError(Exception):
    """What a program said when it failed."""


def names(some: Mapping[str, Iterable[str]]) -> list[str]:
    return [name for kind in some.values() for name in kind]


def inspect(name: str, template: str) -> str:
    """Empty when there is no such container."""
    return run("docker", "inspect", "--type", "container", "--format", template, name, check=False).strip()


def running(name: str) -> bool:
    return inspect(name, "{{.State.Running}}") == "true"


def state_of(name: str) -> dict[str, Any]:
    """Its state, with the number of restarts and its address in `network`; nothing when it is gone."""
    found = inspect(name, '{"state":{{json .State}},"restarts":{{.RestartCount}},"there":{{json .NetworkSettings}}}')
    return dict(json.loads(found)) if found else {}


def addresses(some: Iterable[str], network: str) -> frozenset[str]:
    """Those of containers that are there."""
    found = [((state_of(name).get("there") or {}).get("Networks") or {}).get(network, {}) for name in some]
    return frozenset(place[key] for place in found for key in ("IPAddress", "GlobalIPv6Address") if place.get(key))


def process_of(name: str) -> int:
    """The process that a container runs; 0 when it runs none, or is gone."""
    found = inspect(name, "{{.State.Pid}}")
    return int(found) if found.isdigit() else 0


def rolling(labels: Mapping[str, str]) -> list[str]:
    """Every backend and frontend of this stack, whether it runs or not."""
    if not labels:
        return []
    wanted = [word for key, value in sorted(labels.items()) for word in ("--filter", f"label={key}={value}")]
    show = ["--format", '{{.Names}} {{.Label "service"}}']
    listed = run("docker", "ps", "--all", *wanted, *show, check=False)
    rows = (line.split() for line in listed.splitlines())
    return [row[0] for row in rows if row[1:] in (["backend"], ["frontend"])]


def remove(some: Iterable[str]) -> None:
    for name in some:
        run("docker", "rm", "--force", "--volumes", name, check=False)


def last_words(name: str) -> str:
    done = subprocess.run(
        ["docker", "logs", "--tail", WORDS, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    said = done.stdout.strip() if done.returncode == 0 else ""
    return f"The last lines of its log:\n{said}" if said else "Its log is empty."


def within(seconds: float, happened: Callable[[], object], pause: float = 0.05) -> bool:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def run(*command: str, check: bool = True) -> str:
    errors = subprocess.STDOUT if check else subprocess.DEVNULL
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace", check=False)
    if check and done.returncode:
        raise CommandError(done.stdout.strip()[-2000:])
    return done.stdout
