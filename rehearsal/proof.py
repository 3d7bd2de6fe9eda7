"""What a whole stack shows of itself when it is up: who is well, who listens where, who answers, what took how long."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import urllib3

from rehearsal import RehearsalError
from rehearsal.whole import API, WholeStack

HEALTH = "/api/v1/health"
SECONDS = 30.0
LINE = "{{json .}}"
# Part of the stack: how the engine calls the resources that it is made of.
PARTS = {
    "server hardened": "vps-converge",
    "images pulled": "-image",
    "PostgreSQL and Redis": "stack-postgres|stack-redis",
    "database migrated": "stack-migration",
    "backends and frontend": "neurmatic-backend|neurmatic-frontend",
    "nginx": "stack-nginx",
    "switched over": "stack-switch",
}


def proof(stack: WholeStack, events: Path) -> Iterator[str]:
    """Lines for a person. What is not as it should be is a RehearsalError."""
    yield from titled("Services", services(stack))
    yield from titled("Listening on the machine", listeners(stack))
    yield from titled(f"GET https://{API}{HEALTH} through nginx", answers(stack))
    yield from titled("Versions", versions(stack))
    yield from titled("How long each part took", durations(events.read_text().splitlines()))


def titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield from ("", f"{title}:", *(f"  {line}" for line in lines))


def services(stack: WholeStack) -> Iterator[str]:
    states = stack.containers()
    for name, state in sorted(states.items()):
        if "(healthy)" not in state:
            raise RehearsalError(f"{name} is not healthy but {state!r}.")
        yield f"{name:40} {state}"


def listeners(stack: WholeStack) -> Iterator[str]:
    """Of processes, and of containers, whose ports have no process of their own."""
    table = stack.machine.ssh("sudo ss --no-header --listening --tcp --numeric --processes").stdout
    for line in table.splitlines():
        fields = line.split()
        program = fields[5].split('"')[1] if len(fields) > 5 else "the kernel"
        yield f"{fields[3]:24} {program}"
    listed = stack.machine.ssh("sudo docker ps --format '{{.Names}} {{.Ports}}'").stdout
    for name, _, ports in (line.partition(" ") for line in listed.splitlines()):
        yield from (f"{port.split('->')[0]:24} {name}" for port in ports.split(", ") if "->" in port)


def answers(stack: WholeStack) -> Iterator[str]:
    """One request that reached each backend: nginx chooses, so they are asked for until all have answered."""
    target, wanted = stack.target(), {f"backend-{number + 1}" for number in range(backends(stack))}
    pool = urllib3.HTTPSConnectionPool(
        target.address, target.port, ssl_context=target.context(), server_hostname=API, assert_hostname=API
    )
    ends, seen = time.monotonic() + SECONDS, set[str]()
    while missing := wanted - seen:
        if time.monotonic() > ends:
            raise RehearsalError(f"nginx led nobody to {', '.join(sorted(missing))} within {SECONDS:.0f} s.")
        began = time.monotonic()
        answer = pool.request("GET", HEALTH, headers={"Host": API, "Connection": "close"}, retries=False)
        took = time.monotonic() - began
        instance = answer.headers.get("X-Instance", "nobody")
        if instance not in seen:
            seen.add(instance)
            yield f"{instance:12} {answer.status} version {answer.headers.get('X-Version')} in {took * 1000:.0f} ms"


def backends(stack: WholeStack) -> int:
    return sum("-backend-" in name for name in stack.containers())


def versions(stack: WholeStack) -> Iterator[str]:
    asked = {
        "system": "sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d '\"'",
        "Docker": "sudo docker version --format '{{.Server.Version}}'",
        "PostgreSQL": "sudo docker exec neurmatic-postgres-production postgres --version",
        "Redis": "sudo docker exec neurmatic-redis-production redis-server --version",
        "nginx": "sudo docker exec neurmatic-nginx-production nginx -v 2>&1",
    }
    for what, command in asked.items():
        yield f"{what:12} {stack.machine.ssh(command).stdout.strip()}"


def durations(events: Sequence[str]) -> Iterator[str]:
    """From the engine's own log of events: when the first resource of a part began, and when the last one was done."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    for event in map(json.loads, events):
        for kind, moments in (("resourcePreEvent", began), ("resOutputsEvent", ended)):
            if urn := event.get(kind, {}).get("metadata", {}).get("urn"):
                moments[urn.rpartition("::")[2]] = moment(event)
    for part, pattern in PARTS.items():
        names = [name for name in ended if name in began and any(word in name for word in pattern.split("|"))]
        if names:
            seconds = max(ended[name] for name in names) - min(began[name] for name in names)
            yield f"{part:24} {seconds:5.1f} s"


def moment(event: Mapping[str, object]) -> float:
    return float(str(event["timestamp"]))
