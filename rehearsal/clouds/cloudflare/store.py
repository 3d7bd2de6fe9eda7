"""What the API holds. A refused call has changed nothing: calls work on a copy that replaces the original."""

from __future__ import annotations

import copy
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rehearsal.clouds.clock import Clock
from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.state import Document

PLANS = ("free", "pro", "business", "enterprise")
IDENTIFIER = re.compile(r"[0-9a-f]{32}")
ZONE_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
Object = dict[str, Any]
T = TypeVar("T")


class UnfitError(ValueError):
    """A zone that cannot be adopted, in one sentence."""


def new_id() -> str:
    return secrets.token_hex(16)


class World:
    """Everything, at one moment."""

    def __init__(self, value: Object, clock: Clock) -> None:
        self.value, self.clock = value, clock
        for name in ("zones", "accounts", "certificates", "authority"):
            value.setdefault(name, {})

    def now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @property
    def zones(self) -> dict[str, Object]:
        return self.value["zones"]  # type: ignore[no-any-return]

    def zone(self, zone_id: str) -> Object:
        if zone_id not in self.zones:
            raise RefusalError("unknown-zone")
        return self.zones[zone_id]

    def account(self, account_id: str) -> Object:
        """Accounts are not made by calls: one exists as soon as a zone or a call names it."""
        account: Object = self.value["accounts"].setdefault(account_id, {})
        for name in ("policies", "lists", "operations"):
            account.setdefault(name, {})
        return account


def empty_zone(name: str, plan: str, account_id: str, now: str) -> Object:
    kinds = ("records", "rulesets", "settings", "origin_pull_certificates", "healthchecks")
    return {
        "name": name,
        "plan": plan,
        "account_id": account_id,
        "created_on": now,
        "modified_on": now,
        **{kind: {} for kind in kinds},
        "singletons": {},
    }


class Store:
    """One document, one writer at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._document = Document(folder / "cloudflare.json", "state of the emulated Cloudflare")
        self._clock = clock
        self._lock = threading.RLock()

    def reading(self, work: Callable[[World], T]) -> T:
        with self._lock:
            return copy.deepcopy(work(World(self._document.value, self._clock)))

    @contextmanager
    def _changed(self) -> Iterator[World]:
        with self._lock:
            # By way of JSON, which is what it is, a copy takes a third of copy.deepcopy's time.
            world = World(json.loads(json.dumps(self._document.value)), self._clock)
            yield world
            self._document.value = world.value
            self._document.save()

    def changing(self, work: Callable[[World], T]) -> T:
        with self._changed() as world:
            return copy.deepcopy(work(world))


class Zones:
    """The rehearsal's own way to the zones, beside the API."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def adopt(self, zone_id: str, name: str, plan: str = "free", account_id: str = "0" * 31 + "1") -> Object:
        """Make a zone exist with this id; of one that exists, only the plan changes."""
        for value, what in ((zone_id, "a zone id"), (account_id, "an account id")):
            if not IDENTIFIER.fullmatch(value):
                raise UnfitError(f"{value!r} is not {what}: 32 hexadecimal digits")
        if plan not in PLANS:
            raise UnfitError(f"there is no plan {plan!r}; there are {', '.join(PLANS)}")
        if not ZONE_NAME.fullmatch(name):
            raise UnfitError(f"{name!r} is not the name of a zone, such as example.com")
        return self._store.changing(lambda world: _adopted(world, zone_id, name, plan, account_id))

    def exported(self, zone_id: str) -> Object:
        from rehearsal.clouds.cloudflare.export import exported  # noqa: PLC0415 - pulls in edgerules

        def export(world: World) -> Object:
            if zone_id not in world.zones:
                raise UnfitError(f"there is no zone {zone_id}")
            return exported(world, zone_id)

        return self._store.reading(export)


def _adopted(world: World, zone_id: str, name: str, plan: str, account_id: str) -> Object:
    zone = world.zones.get(zone_id)
    if zone is None:
        zone = world.zones[zone_id] = empty_zone(name, plan, account_id, world.now())
    elif zone["name"] != name:
        raise UnfitError(f"the zone {zone_id} is {zone['name']}, not {name}")
    zone["plan"] = plan
    return {"id": zone_id, "name": name, "plan": plan}
