"""Which images there are, what each is built on, and which official image it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal import RehearsalError

HERE = Path(__file__).resolve().parent
STUB = HERE.parent / "stub"


@dataclass(frozen=True)
class Recipe:
    """One image: its folder under recipes/, what it is built on, what it stands for."""

    name: str
    parent: str | None = None
    official: str | None = None
    """Pulled instead of built where its registry answers."""
    extra: Mapping[str, Path] | None = None
    """Further folders of this checkout that the build sees, by the name it sees them under."""
    arguments: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return HERE / "recipes" / self.name


_ALL = (
    Recipe("base", official="debian:12-slim"),
    Recipe("postgres", parent="base", official="postgres:15-alpine"),
    Recipe("postgres17", "base", "postgres:17-alpine", {"postgres": HERE / "recipes" / "postgres"}),
    Recipe("redis", parent="base", official="redis:7-alpine"),
    Recipe("nginx", parent="base", official="nginx:alpine"),
    Recipe("registry", parent="base"),
    Recipe("frontend", parent="nginx"),
    Recipe("backend", parent="base", extra={"stub": STUB}),
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def recipe_named(name: str) -> Recipe:
    try:
        return RECIPES[name]
    except KeyError:
        raise RehearsalError(f"There is no image '{name}' to rehearse with; there are {', '.join(RECIPES)}.") from None


def backend(version: str, environment: Mapping[str, str] | None = None) -> Recipe:
    """A release of the application. `environment` is baked in: so a bad release (FAULT_*) is just an image."""
    return _release("backend", version, environment)


def frontend(version: str) -> Recipe:
    return _release("frontend", version, None)


def _release(name: str, version: str, environment: Mapping[str, str] | None) -> Recipe:
    base = RECIPES[name]
    lines = tuple(sorted((environment or {}).items()))
    return Recipe(name, base.parent, base.official, base.extra, (("APP_VERSION", version), *lines))
