"""Where Neurmatic's containers are, from its settings: what the program makes and what `./infra` expects to find."""

from __future__ import annotations

from components.containers.felt import Made, standing
from components.containers.place import Place
from components.host.component import identity
from neurmatic.settings import NeurmaticSettings


def place(settings: NeurmaticSettings) -> Place:
    environment = settings.environment.value
    return Place(
        names=f"neurmatic-{{service}}-{environment}",
        root=settings.host.root,
        data=settings.host.data,
        machine=identity(settings.host),
        labels={"product": "neurmatic", "environment": environment},
        ipv6=settings.host.ipv6 is not None,
    )


def stands(settings: NeurmaticSettings) -> Made:
    """What PostgreSQL, Redis and nginx are made with."""
    return standing(settings.containers, place(settings))
