"""Another valid value for each kind of setting, and the settings that the examples start from."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_origin

from components.containers.environment import Surroundings
from components.leaves import Decimal, Leaf, Quantity, Whole
from components.site import NeurmaticSite

DIGEST = "sha256:" + "c" * 64
BASE: dict[str, Any] = {
    "postgres": {"database": "neurmatic_production", "user": "neurmatic_prod"},
    "release": {"version": "1.4.2", "backend": "sha256:" + "a" * 64, "frontend": "sha256:" + "b" * 64},
}
SITE = NeurmaticSite(apex="neurmatic.com", www="www.neurmatic.com", api="api.neurmatic.com")
AROUND = Surroundings("production", SITE, "neurmatic-production-media", "eu-west-1", "neurmatic_prod_a")
TEXTS = (
    "neurmatic_other",
    "other",
    "1.30.1",
    DIGEST,
    "other.neurmatic.com",
    "somebody@neurmatic.com",
    "https://other.neurmatic.com/directory",
    "/other",
    "172.30.9.0/24",
    "fd00:9:9::/64",
    "60 1",
    "nginx:1.30-alpine",
    "-",
)


def other(key: str, leaf: Leaf | None, annotation: Any, now: Any) -> Iterator[Any]:
    """Candidates; the models say which of them is valid."""
    kinds = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    for kind in kinds:
        if issubclass(kind, Enum):
            yield from (each.value for each in kind)
    if key.endswith("image"):
        yield f"registry.neurmatic.com/other@{DIGEST}"
    if key == "subnet6":
        yield "fd00:9:9::/64"
    if isinstance(now, bool) or annotation is bool:
        yield not now
    elif get_origin(annotation) is tuple:
        yield from _lists(now)
    elif isinstance(leaf, Whole):
        yield from (each for each in ((now or leaf.low) + 1, (now or leaf.low) - 1, leaf.low + 1) if each != now)
    elif isinstance(leaf, Decimal) or isinstance(now, float):
        yield from (0.5, 0.25, 1.5, 3)
    elif isinstance(leaf, Quantity):
        yield from (leaf.write(size) for size in _sizes(leaf, now))
    yield from TEXTS
    yield from (1, 2, 0.5)


def _lists(now: Any) -> Iterator[list[Any]]:
    if now:
        yield list(now)[:-1]
        yield [*now, "other"]
    yield from ([each] for each in TEXTS)


def _sizes(leaf: Quantity, now: Any) -> Iterator[int]:
    size = leaf.read(now) if isinstance(now, str) else leaf.low
    unit = leaf.units[0][1]
    yield from (size * 2, size + unit, max(leaf.low, size // 2), leaf.high // 2)
