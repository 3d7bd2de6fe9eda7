"""The credentials of a system by name, and where the state has each: what can be rotated, and by which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from components.credentials.versions import generation_of
from components.settings import StackSettings

Resource = Mapping[str, Any]
PASSWORD, KEY = "random:index/randomPassword:RandomPassword", "aws:iam/accessKey:AccessKey"


class Kind(Enum):
    """What rotating one means."""

    LOGIN = "password"
    SIGNING = "signing secret"
    AWS = "AWS key"


@dataclass(frozen=True)
class Rotated:
    """One that the program makes; `resource` is what the state calls its first version."""

    name: str
    kind: Kind
    type: str
    resource: str
    generation: int
    previous: bool = False
    """The version before stays valid until the next rotation."""

    def found(self, resources: Sequence[Resource]) -> dict[int, Resource]:
        """Its versions in the state."""
        named = ((generation_of(name_of(each), self.resource), each) for each in resources if each["type"] == self.type)
        return {generation: each for generation, each in named if generation is not None}

    def complete(self, resources: Sequence[Resource]) -> bool:
        """Only the version in use is left. While one follows another, both are there."""
        before = {self.generation - 1} if self.previous and self.generation > 1 else set()
        return set(self.found(resources)) - before == {self.generation}


def name_of(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]


LOGINS, KEYS = ("postgres", "redis", "app_user", "migrator_user", "backup_user"), ("uploads", "dumps")


def rotated(settings: StackSettings) -> list[Rotated]:
    """In the order of the settings."""
    given: Any = settings
    backend = getattr(getattr(given, "containers", None), "backend", None)
    previous = bool(backend and backend.accepts_previous)
    return [_one(name, generation, previous) for name, generation in given.credentials.generation.model_dump().items()]


def _one(name: str, generation: int, previous: bool) -> Rotated:
    if name in KEYS:
        return Rotated(name, Kind.AWS, KEY, f"storage-{name}-key", generation)
    if name in LOGINS:
        return Rotated(name, Kind.LOGIN, PASSWORD, f"credentials-{name}", generation)
    return Rotated(name, Kind.SIGNING, PASSWORD, f"credentials-{name}", generation, previous)
