"""docs/changes.md: what a change of each setting of the containers does. From the models and the builders themselves.

Every setting gets another value, the containers are described with both, and the difference says what happens: that
page cannot be wrong about the program, as long as `felt.IN_PLACE` is what the plugin does (a test compares).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from components.containers.application import backend, frontend
from components.containers.config import ContainersSettings, Release
from components.containers.environment import secret_variables
from components.containers.felt import FELT, changes, made_with, standing
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.place import Place
from components.containers.services import postgres_reloaded, redis_configuration
from components.leaves import Leaf
from components.sentences import model_of
from ops.changes_samples import AROUND, BASE, DIGEST, SITE, other

HEAD = """\
# What a change of a setting does

Written by `make generated`: every setting of `neurmatic:containers` gets another value, and what differs in the
containers says what an `up` does. Nobody notices what rolls (a new set beside the old one, as in a deploy), reloads or
changes in place. What restarts is refused by preview and `up` until `containers.allow` says otherwise
([day two](day-two.md)).

| key | example | what an `up` does |
|---|---|---|
"""
NO_RELEASE = Release(version="0.0.0", backend=DIGEST, frontend=DIGEST)
PLACE = Place("neurmatic-{service}-production", "/opt/neurmatic", "/mnt/data", "machine", {"product": "neurmatic"})


def page() -> str:
    rows = (f"| `{key}` | `{_short(value)}` | {', '.join(effects(key, value))} |" for key, value in variants())
    return HEAD + "\n".join(rows) + "\n"


def variants() -> Iterator[tuple[str, Any]]:
    """Each setting with another valid value, as a stack file writes it."""
    yield from _fields("", ContainersSettings, ContainersSettings.model_validate_json(json.dumps(BASE)))


def _fields(prefix: str, model: type[BaseModel], now: Any) -> Iterator[tuple[str, Any]]:
    written = json.loads(now.model_dump_json()) if now is not None else {}
    for name, field in model.model_fields.items():
        key, part = f"{prefix}{name}", model_of(field.annotation)
        if part is not None and get_origin(field.annotation) is not tuple:
            yield from _fields(f"{key}.", part, getattr(now, name, None))
        else:
            yield key, _another(key, field, written.get(name))


def _another(key: str, field: FieldInfo, now: Any) -> Any:
    for candidate in other(key, _leaf(field), field.annotation, now):
        if candidate != now and settings_with(key, candidate) is not None:
            return candidate
    raise AssertionError(f"No other value is known for {key}: teach ops/changes_samples.py one.")


def _leaf(field: FieldInfo) -> Leaf | None:
    metadata = [*field.metadata]
    for each in (field.annotation, *get_args(field.annotation)):
        metadata += getattr(each, "__metadata__", ())
    return next((each for each in metadata if isinstance(each, Leaf)), None)


def settings_with(*pairs: Any) -> ContainersSettings | None:
    """`settings_with("postgres.cpus", 2, ...)`; None where the models refuse it."""
    data = json.loads(json.dumps(BASE))
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        *path, last = key.split(".")
        at = data
        for name in path:
            at = at.setdefault(name, {})
        at[last] = value
    try:
        return ContainersSettings.model_validate_json(json.dumps(data))
    except ValidationError:
        return None


def _settings(*pairs: Any) -> ContainersSettings:
    found = settings_with(*pairs)
    if found is None:
        raise ValueError(f"The models refuse {pairs}.")
    return found


def effects(key: str, value: Any) -> list[str]:
    before, after = _settings(), _settings(key, value)
    found = [*_felt(before, after), *_rolling(before, after), *_told(before, after), *_in_place(before, after)]
    if "network" in key or key.startswith("subnet"):
        return ["makes the network anew, and every container with it: minutes", *found]
    return found or ["nothing to what runs: it counts when it is next read"]


def _felt(before: ContainersSettings, after: ContainersSettings) -> Iterator[str]:
    for change in changes(standing(before, PLACE), standing(after, PLACE)):
        yield f"**{FELT[change.service].what}**"


def _rolling(before: ContainersSettings, after: ContainersSettings) -> Iterator[str]:
    for kind in ("backend", "frontend"):
        if _rolled(kind, before) != _rolled(kind, after):
            yield f"{kind}s roll"
    if before.backend.count != after.backend.count:
        yield "backends are added or taken away"


def _rolled(kind: str, settings: ContainersSettings) -> Any:
    release = settings.release or NO_RELEASE
    service = backend(settings, release, 1, AROUND) if kind == "backend" else frontend(settings, release)
    secret = secret_variables(settings, AROUND) if kind == "backend" else {}
    return made_with(service, settings, PLACE), secret


def _told(before: ContainersSettings, after: ContainersSettings) -> Iterator[str]:
    if _nginx(before) != _nginx(after):
        yield "nginx reloads"
    if postgres_reloaded(before.postgres) != postgres_reloaded(after.postgres):
        yield "PostgreSQL reloads"
    if redis_configuration(before.redis) != redis_configuration(after.redis):
        yield "Redis takes it over while it runs"


def _nginx(settings: ContainersSettings) -> Any:
    origin = Origin(SITE, settings.nginx, ["173.245.48.0/20"], None, settings.rolling.drain)
    return configuration(origin, Serving(["backend"], ["frontend"]))


def _in_place(before: ContainersSettings, after: ContainersSettings) -> Iterator[str]:
    limits = zip(_memory(before).items(), _memory(after).values(), strict=True)
    yield from (f"the memory of {name} changes in place" for (name, one), other in limits if one != other)


def _memory(settings: ContainersSettings) -> dict[str, int]:
    return {
        "PostgreSQL": settings.postgres.memory,
        "Redis": settings.redis.memory_limit,
        "nginx": settings.nginx.memory,
        "backends": settings.backend.memory,
        "frontends": settings.frontend.memory,
    }


def _short(value: Any) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    return text if len(text) <= 40 else f"{text[:37]}..."
