"""What the health check of a server is told about its stack."""

from __future__ import annotations

from components.health.items import Watched
from neurmatic.settings import NeurmaticSettings


def watched(settings: NeurmaticSettings) -> Watched:
    environment = settings.environment.value
    return Watched(
        alerts=settings.alerts,
        containers=settings.containers,
        site=settings.site,
        stack=f"neurmatic {environment}",
        names=f"neurmatic-{{service}}-{environment}",
        labels={"product": "neurmatic", "environment": environment},
        root=settings.host.root,
        data=settings.host.data,
        backup_max_age=settings.backup.max_age,
    )
