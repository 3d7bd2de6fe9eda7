"""What the backups of Neurmatic's database are told: the container it runs in, and the bucket they go to."""

from __future__ import annotations

from typing import Any

from components.backup.items import Runner, key_file
from components.containers.application import WITH_ENVIRONMENT
from components.containers.docker import SECRETS_FOLDER
from neurmatic.settings import NeurmaticSettings

BACKEND_USER = "1000:1000"


def runner(settings: NeurmaticSettings) -> Runner:
    return Runner(
        units="neurmatic-backup",
        root=settings.host.root,
        data=settings.host.data,
        packages=("age", "pigz"),
        settings=settings.backup,
        told={
            "system": settings.PROJECT,
            "container": f"neurmatic-postgres-{settings.environment.value}",
            "database": settings.containers.postgres.database,
            "user": settings.containers.postgres.user,
            "encrypt_to": settings.backup.encrypt_to,
            **_bucket(settings),
            "migration": _migration(settings),
        },
    )


def _bucket(settings: NeurmaticSettings) -> dict[str, str]:
    backups = settings.storage.backups
    return {
        "bucket": backups.name,
        "prefix": backups.prefix,
        "region": settings.storage.region,
        "key_file": key_file(settings.host.root),
    }


def _migration(settings: NeurmaticSettings) -> dict[str, Any]:
    backend = settings.containers.backend
    return {
        "network": settings.containers.network,
        "user": BACKEND_USER,
        "entrypoint": list(WITH_ENVIRONMENT),
        "command": list(backend.migration),
        "secrets": f"{settings.host.root}/infrastructure/secrets/backend",
        "mounted": SECRETS_FOLDER,
        "memory": backend.memory,
        "cpus": backend.cpus,
    }
