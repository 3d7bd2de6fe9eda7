"""Where containers are, apart from their settings: the program makes them there, and `./infra` expects them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.containers.application import load_balancer
from components.containers.config import ContainersSettings
from components.containers.services import Service, postgres, redis


@dataclass(frozen=True)
class Place:
    names: str
    """How containers are called; {service} stands for the service."""
    root: str
    """The product's folder on the host."""
    data: str
    """Where stateful containers keep their data."""
    machine: str
    """The same for the same machine: on another one everything is made anew."""
    labels: Mapping[str, str]
    ipv6: bool = False
    """The server has an IPv6 address: containers get some, too."""

    def called(self, service: str) -> str:
        return self.names.format(service=service)

    @property
    def infrastructure(self) -> str:
        return f"{self.root}/infrastructure"

    @property
    def nginx(self) -> str:
        """The folder that nginx is configured from."""
        return f"{self.infrastructure}/nginx"

    def secrets(self, kind: str) -> str:
        return f"{self.infrastructure}/secrets/{kind}"


def standing_services(settings: ContainersSettings, place: Place) -> tuple[Service, Service, Service]:
    """PostgreSQL, Redis and nginx: what stays while releases come and go."""
    release = settings.release
    return (
        postgres(settings.postgres, place.data, release.postgres if release else None),
        redis(settings.redis, place.data, release.redis if release else None),
        load_balancer(settings, place.nginx, ipv6=place.ipv6),
    )
