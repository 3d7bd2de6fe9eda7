"""The containers of the stack, as its engine sees them, and which of them nginx lets answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from components.health.onhost.finding import Finding, broken, fine, unknown, warning
from components.health.onhost.process import SilenceError, ask, last_line

SECONDS = 3.0
RECENT = 600
"""Seconds in which a container that has died and was started again is worth a warning."""
SINGLE = ("postgres", "redis", "nginx")


class EngineError(Exception):
    """Why the engine cannot be asked."""


@dataclass(frozen=True)
class Container:
    id: str
    name: str
    service: str
    """backend-1, postgres: the same while containers roll."""
    state: Mapping[str, Any]
    restarts: int
    address: str
    log: str

    @property
    def running(self) -> bool:
        return bool(self.state.get("Running")) and not self.state.get("Restarting")

    @property
    def health(self) -> str:
        return str((self.state.get("Health") or {}).get("Status", ""))

    @property
    def seconds_up(self) -> float:
        return max(0.0, time.time() - moment(self.state.get("StartedAt", "")))


def moment(text: str) -> float:
    """Docker's own: with nine digits behind the point, which Python does not read."""
    found = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", text)
    if found is None:
        return 0.0
    return datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


def listed(labels: Mapping[str, str], names: str) -> list[Container]:
    """Stopped ones as well."""
    filters = [word for key, value in sorted(labels.items()) for word in ("--filter", f"label={key}={value}")]
    ids = said(["docker", "ps", "--all", "--quiet", "--no-trunc", *filters]).split()
    if not ids:
        return []
    try:
        found = json.loads(said(["docker", "inspect", "--type", "container", *ids]))
    except ValueError:
        raise EngineError("Docker's answer is no JSON") from None
    return [container(each, names) for each in found]


def said(argv: Sequence[str]) -> str:
    try:
        done = ask(argv, seconds=SECONDS)
    except (SilenceError, OSError) as error:
        raise EngineError(str(error)) from None
    # One that has gone between the two questions is no trouble: deploys do that.
    if done.returncode and "No such" not in done.stderr:
        raise EngineError(last_line(done))
    return done.stdout


def container(data: Mapping[str, Any], names: str) -> Container:
    name = data["Name"].lstrip("/")
    networks = (data.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = [each["IPAddress"] for each in networks.values() if each.get("IPAddress")]
    return Container(
        id=data["Id"],
        name=name,
        service=service_of(name, names) or (data["Config"].get("Labels") or {}).get("service", name),
        state=data["State"],
        restarts=int(data.get("RestartCount", 0)),
        address=addresses[0] if addresses else "",
        log=data.get("LogPath") or "",
    )


def service_of(name: str, names: str) -> str:
    """neurmatic-backend-1-production-0a1b2c3 -> backend-1."""
    before, _, after = names.partition("{service}")
    found = re.fullmatch(f"{re.escape(before)}([a-z]+(?:-[0-9]+)?){re.escape(after)}(?:-[0-9a-f]+)?", name)
    return found[1] if found else ""


@dataclass(frozen=True)
class Stack:
    """The containers that the product is made of just now: a set that waits or leaves does not count."""

    single: Mapping[str, Container | None]
    serving: Mapping[str, Container | None]
    """backend-1 -> its container, None if it is gone; the frontend as well."""
    before_first: bool
    """No release has been deployed yet."""

    def of(self, kind: str) -> Iterator[tuple[str, Container]]:
        for name, one in self.serving.items():
            if one is not None and one.running and name.partition("-")[0] == kind:
                yield name, one


def served(settings: Mapping[str, Any]) -> list[str]:
    """The containers that nginx sends requests to, as the last switch wrote them down."""
    try:
        said = json.loads((Path(settings["nginx"]) / "current" / "serving.json").read_text())
        return [*said["sets"]["backends"], *said["sets"]["frontends"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def stack(settings: Mapping[str, Any]) -> Stack:
    names = settings["names"]
    found = listed(settings["labels"], names)
    by_name = {each.name: each for each in found}
    wanted = served(settings)
    return Stack(
        single={name: next((each for each in found if each.service == name), None) for name in SINGLE},
        serving={service_of(name, names) or name: by_name.get(name) for name in wanted},
        before_first=not wanted,
    )


def judged(whole: Stack) -> Iterator[Finding]:
    for name, one in {**whole.single, **whole.serving}.items():
        # The timer is there before the first container is.
        yield not_yet(name) if one is None and whole.before_first else state_of(name, one)


def not_yet(name: str) -> Finding:
    return unknown(f"container {name}", "is not there, and no release has been deployed yet")


def state_of(name: str, one: Container | None) -> Finding:
    called = f"container {name}"
    if one is None:
        return broken(called, "is gone: `./infra up` makes it again")
    if not one.running:
        return broken(
            called, f"is {one.state.get('Status', 'not running')}{cause(one)}: `./infra logs {name}` says more"
        )
    if one.health == "unhealthy":
        return broken(called, "runs, but its own health check fails")
    if one.restarts and one.seconds_up < RECENT:
        times = "once" if one.restarts == 1 else f"{one.restarts} times"
        return warning(called, f"has died and was started again {times}, the last time {one.seconds_up:.0f} s ago")
    return fine(called, f"runs{f', {one.health}' if one.health else ''}, since {one.seconds_up / 3600:.1f} h")


def cause(one: Container) -> str:
    if one.state.get("OOMKilled"):
        return " (it ran out of memory)"
    return f" (exit code {one.state['ExitCode']})" if one.state.get("ExitCode") else ""
