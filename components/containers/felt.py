"""What a change is felt by: PostgreSQL and Redis restart, nginx is replaced. Everything else rolls or reloads.

These three keep their name, their ports and their data, so that a new container cannot stand beside the old one. What
they were made with is an output of the stack; the next run compares before it registers anything (`opt_in.py`), so that
a change that is felt stops a preview and an `up` alike until the stack file says `containers.allow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.containers.config import Allow, ContainersSettings
from components.containers.docker import container_arguments
from components.containers.place import Place, standing_services
from components.containers.services import Service

Made = dict[str, Any]
# What the docker plugin changes in a running container. Anything else is another container.
IN_PLACE = frozenset({"memory", "memory_swap", "destroy_grace_seconds", "must_run", "restart", "wait", "wait_timeout"})
NETWORK = {"network", "subnet", "subnet6"}
SHOWN = 3


@dataclass(frozen=True)
class Felt:
    what: str
    outage: str
    allow: str
    """The field of `containers.allow`."""


FELT = {
    "postgres": Felt(
        "PostgreSQL restarts",
        "every request that needs the database fails for about 10 s, up to 2 minutes while much is being written",
        "restart_postgres",
    ),
    "redis": Felt(
        "Redis restarts",
        "sessions, cache and queues are away for about 5 s, longer with gigabytes to load",
        "restart_redis",
    ),
    "nginx": Felt(
        "nginx is replaced", "nobody is answered for about 2 s, and connections that are open end", "replace_nginx"
    ),
}


@dataclass(frozen=True)
class Change:
    """A container that would be made anew, and why."""

    service: str
    differences: tuple[str, ...]

    @property
    def felt(self) -> Felt:
        return FELT[self.service]

    def allowed(self, allow: Allow) -> bool:
        return bool(getattr(allow, self.felt.allow))

    def sentence(self) -> str:
        shown = "; ".join(self.differences[:SHOWN])
        more = f"; and {len(self.differences) - SHOWN} more" if len(self.differences) > SHOWN else ""
        return f"{self.felt.what} ({shown}{more}). Expected outage: {self.felt.outage}."

    def refusal(self) -> str:
        return (
            f"{self.sentence()} Write `containers.allow.{self.felt.allow}: true` into the stack file for this one `up`."
        )


def standing(settings: ContainersSettings, place: Place) -> Made:
    """What the three are made with, apart from what changes in place; without a secret."""
    services = standing_services(settings, place)
    return {
        "machine": place.machine,
        "services": {service.name: made_with(service, settings, place) for service in services},
    }


def made_with(service: Service, settings: ContainersSettings, place: Place) -> Made:
    arguments = container_arguments(service, settings, place.secrets(service.kind))
    return {
        "name": place.called(service.name),
        "image": service.image,
        # A container has to leave a network that changes.
        "network": {**settings.model_dump(include=NETWORK), "ipv6": place.ipv6},
        "labels": dict(place.labels),
        **{name: value for name, value in arguments.items() if name not in IN_PLACE},
    }


def changes(before: Made | None, now: Made) -> list[Change]:
    """Nothing before the first `up`, and nothing on another machine: there, nothing stands yet."""
    if not before or before.get("machine") != now["machine"]:
        return []
    found = ((name, before["services"].get(name), made) for name, made in now["services"].items())
    compared = (Change(name, tuple(differences(old, made))) for name, old, made in found if old)
    return [change for change in compared if change.differences]


def protected(service: str, allow: Allow, *, disposable: bool) -> bool:
    """For the engine: whatever makes it want another container, such as a refresh, it asks for the opt-in as well."""
    return service in FELT and not disposable and not getattr(allow, FELT[service].allow)


def left_on(allow: Allow, found: list[Change]) -> list[str]:
    """Opt-ins that no change needs: the next one would pass unseen."""
    needed = {change.felt.allow for change in found}
    return [felt.allow for felt in FELT.values() if getattr(allow, felt.allow) and felt.allow not in needed]


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """`cpus: 4.0 -> 8.0`. Words of a list are compared as a set first: one more does not move all the others."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _words(old, new, path)
    elif _plain(old) != _plain(new):
        yield f"{path}: {_shown(old)} -> {_shown(new)}"


def _words(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    if len(gone) == len(come):
        for one, other in zip(gone, come, strict=True):
            yield f"{path}: {_shown(one)} -> {_shown(other)}"
    elif gone or come:
        yield f"{path}: {_shown(gone)} -> {_shown(come)}"
    if not gone and not come and old != new:
        yield f"{path}: another order"


def _plain(value: Any) -> Any:
    """The engine keeps every number as a float."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _shown(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
