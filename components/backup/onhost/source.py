"""Whose backups these are: a database in a container of this server, or one elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from components.backup.onhost import clients, engine
from components.backup.onhost.database import Server
from components.backup.onhost.engine import Live
from components.backup.onhost.settings import Settings


def exists(settings: Settings) -> bool:
    """Not before the first `up`; one elsewhere was there before this server."""
    return settings.address is not None or engine.live(settings.container) is not None


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[tuple[Server, Live]]:
    """Who may dump it, and of what a throw-away server of the same version is made."""
    if settings.address is None:
        live = engine.needed(settings.container, settings.user)
        yield Server(settings.container, live.superuser), live
        return
    with clients.clients(settings.address, clients.owner_of(settings)) as (server, live):
        clients.same_major(server, settings.database, settings.address.image)
        yield server, live
