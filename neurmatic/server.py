"""What Neurmatic's components want on the server, besides what makes it a server: scripts, timers, their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.backup import items as backup
from components.certificates import items as certificates
from components.containers import cleanup
from components.containers.drift import drift_items
from components.credentials.items import items as credentials
from components.health import items as health
from components.host.items import Item
from components.notify import items as notify
from neurmatic.backups import runner as backups
from neurmatic.certified import certified
from neurmatic.settings import NeurmaticSettings
from neurmatic.watched import watched

if TYPE_CHECKING:
    from components.edge.origin import OriginPulls
    from components.host.component import VpsHost
    from components.storage.identity import BucketKey


def write_secrets(
    host: VpsHost,
    settings: NeurmaticSettings,
    secrets: Mapping[str, Any],
    dumps: BucketKey,
    origin_pulls: OriginPulls | None,
) -> None:
    """What the scripts on the server read besides their settings."""
    root = settings.host.root
    notify.write_secrets(host, settings.backup.notify, root, secrets)
    backup.write_secrets(host, root, dumps)
    if origin_pulls is not None:
        health.write_client(host, root, origin_pulls.probe)


def items(settings: NeurmaticSettings) -> tuple[Item, ...]:
    """Pure: the program gives these to the VpsHost, and `./infra drift` compares the server with them."""
    root, alerts = settings.host.root, settings.alerts
    stack, sender = f"neurmatic {settings.environment.value}", settings.containers.backend.mail.sender
    return (
        *credentials(root),
        *notify.items(settings.backup.notify, stack, root, sender, alerts.remind_after),
        *backup.items(backups(settings)),
        *health.items(watched(settings)),
        *cleanup.items(settings.containers, root),
        *drift_items(settings.containers, root),
        *certificates.items(certified(settings), settings.host.all_packages),
    )
