"""What two stacks may not share."""

from __future__ import annotations

from collections.abc import Iterable

from components.checks import bucket_names
from components.edge.config import EdgeSettings
from components.host.config import HostSettings
from components.mistakes import Mistake
from components.settings import StackSettings
from components.site import SiteSettings
from components.values import ZoneRole


def clashes(mine: StackSettings, other: StackSettings, name: str) -> list[Mistake]:
    """Mistakes of `mine`, because the stack called `name` has the same."""
    found = list(_buckets(mine, other, name))
    for section, compare in (("edge", _zone), ("host", _paths), ("site", _names)):
        first, second = getattr(mine, section, None), getattr(other, section, None)
        if first is not None and second is not None:
            found += compare(first, second, name)
    return found


def _buckets(mine: StackSettings, other: StackSettings, name: str) -> Iterable[Mistake]:
    taken = {bucket for _, bucket in _buckets_of(other)}
    for path, bucket in _buckets_of(mine):
        if bucket in taken:
            yield Mistake(path, f'given "{bucket}", which belongs to {name}; allowed is a bucket of its own')


def _buckets_of(settings: StackSettings) -> list[tuple[tuple[str, ...], str]]:
    storage, publish = getattr(settings, "storage", None), getattr(settings, "publish", None)
    return bucket_names(storage, publish) if storage and publish else []


def _zone(mine: EdgeSettings, other: EdgeSettings, name: str) -> Iterable[Mistake]:
    if mine.zone == other.zone and mine.role is other.role is ZoneRole.OWNER:
        yield Mistake(("edge", "role"), f'given "owner", but {name} owns the zone {mine.zone}; allowed is tenant')


def _paths(mine: HostSettings, other: HostSettings, name: str) -> Iterable[Mistake]:
    if mine.address != other.address:
        return
    for field in ("root", "data"):
        path = getattr(mine, field)
        if path in (other.root, other.data):
            yield Mistake(("host", field), f'given "{path}", which {name} uses on the same host; allowed is another')


def _names(mine: SiteSettings, other: SiteSettings, name: str) -> Iterable[Mistake]:
    for field in ("apex", "www", "api"):
        own = getattr(mine, field)
        if own in other.names:
            yield Mistake(("site", field), f'given "{own}", which belongs to {name}; allowed is a name of its own')
