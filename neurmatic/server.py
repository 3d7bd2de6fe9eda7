"""What Neurmatic's components want on the server, besides what makes it a server: scripts, timers, their settings."""

from __future__ import annotations

from components.host.items import Item
from components.notify import items as notify
from neurmatic.settings import NeurmaticSettings


def items(settings: NeurmaticSettings) -> tuple[Item, ...]:
    """Pure: the program gives these to the VpsHost, and `./infra drift` compares the server with them."""
    root, alerts = settings.host.root, settings.alerts
    stack, sender = f"neurmatic {settings.environment.value}", settings.containers.backend.mail.sender
    return (*notify.items(settings.backup.notify, stack, root, sender, alerts.remind_after),)
