"""A call as its handler sees it, and the tables that say which handler answers what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.store import IDENTIFIER, Object, World


@dataclass(frozen=True)
class Call:
    world: World
    ids: Mapping[str, str]
    data: Any
    query: Mapping[str, str]

    @property
    def zone(self) -> Object:
        return self.world.zone(self.ids["zone"])

    @property
    def account(self) -> Object:
        return self.world.account(self.ids["account"])

    def object(self) -> Object:
        """The body, which has to be an object."""
        if not isinstance(self.data, dict):
            raise RefusalError("bad-json", why="an object is expected")
        return self.data


@dataclass(frozen=True)
class Page:
    """A list, with what the envelope says about its place in a longer one."""

    items: list[Any]
    page: int
    per_page: int
    total: int

    def info(self) -> dict[str, int]:
        pages = -(-self.total // self.per_page)
        return {
            "page": self.page,
            "per_page": self.per_page,
            "count": len(self.items),
            "total_count": self.total,
            "total_pages": pages,
        }


def page(items: Iterable[Any], query: Mapping[str, str], default: int = 100, most: int = 5000) -> Page:
    found = list(items)
    number, size = _number(query, "page", 1, 10**6), _number(query, "per_page", default, most)
    return Page(found[(number - 1) * size : number * size], number, size, len(found))


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise RefusalError("value-invalid", why=f"{name} must be between 1 and {most}")
    return int(text)


def typed(given: Object, name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
    """A field of a body; absent and null are the default, any other kind is refused."""
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RefusalError("value-invalid", why=f"{name} has the wrong type")
    return value


def one_of(value: Any, allowed: Iterable[Any]) -> bool:
    """Python takes 1 for true and 1.0 for 1; the API does not."""
    return any(value == one and type(value) is type(one) for one in allowed)


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    action: str
    handler: Handler

    @property
    def writes(self) -> bool:
        return self.method != "GET"


PART = re.compile(r"\{(\w+)\}")


def route(method: str, path: str, action: str, handler: Handler) -> Route:
    return Route(method, re.compile(PART.sub(r"(?P<\1>[^/]+)", path)), action, handler)


def bad_identifier(ids: Mapping[str, str]) -> bool:
    """Ids of things are 32 hexadecimal digits; names (of a setting, a phase, a certificate) may be anything."""
    return any(name in ("zone", "account", "id", "rule") and not IDENTIFIER.fullmatch(ids[name]) for name in ids)
