"""Which versions of Neurmatic's credentials are made and given out, from its settings."""

from __future__ import annotations

from components.containers.environment import SIGNING, Surroundings
from components.credentials.versions import login
from components.storage import client
from neurmatic.settings import NeurmaticSettings

CREDENTIALS = ("postgres", "redis", *SIGNING)


def generations(settings: NeurmaticSettings) -> dict[str, int]:
    given = settings.credentials.generation.model_dump()
    return {name: given[name] for name in CREDENTIALS}


def key_generations(settings: NeurmaticSettings) -> tuple[int, int]:
    given = settings.credentials.generation
    return given.uploads, given.dumps


def kept_valid(settings: NeurmaticSettings) -> tuple[str, ...]:
    """Signing secrets whose version before the application is still given."""
    given = generations(settings)
    return tuple(name for name in SIGNING if settings.containers.backend.accepts_previous and given[name] > 1)


def surroundings(settings: NeurmaticSettings) -> Surroundings:
    """What a backend is told of the rest of its stack."""
    storage, owner = settings.storage, settings.containers.postgres.user
    return Surroundings(
        environment=settings.environment.value,
        site=settings.site,
        media_bucket=storage.media.name,
        region=storage.region,
        store=client.variables(storage),
        login=login(owner, settings.credentials.generation.postgres),
        previous=kept_valid(settings),
    )
