"""What Neurmatic's components want on the server, besides what makes it a server: scripts, timers, their settings."""

from __future__ import annotations

from components.host.items import Item
from neurmatic.settings import NeurmaticSettings


def items(settings: NeurmaticSettings) -> tuple[Item, ...]:
    """Pure: the program gives these to the VpsHost, and `./infra drift` compares the server with them."""
    return ()
