"""What the health check of a server is told about its stack."""

from __future__ import annotations

from components.health.items import Watched
from neurmatic.place import place
from neurmatic.settings import NeurmaticSettings


def watched(settings: NeurmaticSettings) -> Watched:
    here = place(settings)
    return Watched(
        alerts=settings.alerts,
        containers=settings.containers,
        site=settings.site,
        stack=f"neurmatic {settings.environment.value}",
        names=here.names,
        labels=here.labels,
        root=here.root,
        data=here.data,
        backup_max_age=settings.backup.max_age,
    )
