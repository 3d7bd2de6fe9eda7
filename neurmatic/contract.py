"""What Neurmatic promises to other teams, from its settings."""

from __future__ import annotations

from components.containers.services import POSTGRES_PORT
from components.outputs import (
    VERSION,
    DatabaseOutputs,
    FrontendOutputs,
    HostOutputs,
    NeurmaticOutputs,
    StorageOutputs,
)
from neurmatic.settings import NeurmaticSettings


def promised(settings: NeurmaticSettings) -> NeurmaticOutputs:
    site, storage, postgres = settings.site, settings.storage, settings.containers.postgres
    release = settings.containers.release
    return NeurmaticOutputs(
        version=VERSION,
        environment=settings.environment.value,
        release=release.version if release else None,
        frontend=FrontendOutputs(
            api_url=f"https://{site.api}", ws_url=f"wss://{site.api}", site_url=f"https://{site.apex}"
        ),
        host=HostOutputs(address=settings.host.address, user=settings.host.deploy.name),
        storage=StorageOutputs(
            region=storage.region, media_bucket=storage.media.name, backups_bucket=storage.backups.name
        ),
        database=DatabaseOutputs(name=postgres.database, user=postgres.user, host="127.0.0.1", port=POSTGRES_PORT),
    )
