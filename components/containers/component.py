"""The containers of a system, on the Docker engine of its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

import pulumi
import pulumi_docker as docker
from pulumi_command import remote

from components.containers.application import backend, frontend
from components.containers.balancer import Balancer
from components.containers.config import ContainersSettings, Release
from components.containers.environment import Surroundings
from components.containers.logins import Logins
from components.containers.migration import migrate
from components.containers.nginx.origin import Origin
from components.containers.place import Place, standing_services
from components.containers.record import record
from components.containers.run import Runner
from components.containers.services import Service
from components.containers.tuning import tune_postgres, tune_redis
from components.credentials.component import Credentials
from components.edge.addresses import cloudflare_addresses


@dataclass(frozen=True)
class ContainerStackArgs:
    settings: ContainersSettings
    around: Surroundings
    connection: remote.ConnectionArgs
    credentials: Credentials
    place: Place
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What backends know besides the generated credentials, by name."""
    disposable: bool = False
    """PostgreSQL, Redis and nginx are not protected from a destroy."""
    client_ca: pulumi.Input[str] | None = None
    """The CA of Cloudflare's client certificate; without one nginx answers whoever reaches it."""


class ContainerStack(pulumi.ComponentResource):
    """Data first, then nginx, then the release: it starts beside the old one and takes over when it is healthy."""

    def __init__(self, name: str, args: ContainerStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:containers:ContainerStack", name, None, opts)
        self._name, self._args = name, args
        self._runner = Runner(self, name, args, self._network())
        self._logins = Logins(self._runner, args.settings)
        database, cache, balancer = standing_services(args.settings, args.place)
        stateful = [*self._postgres(database), *self._redis(cache)]
        self._balancer = self._nginx(balancer)
        release = args.settings.release
        self._logins.close([self._release(release, stateful)] if release else stateful)
        record(self._runner)
        self.register_outputs({})

    def _postgres(self, service: Service) -> list[pulumi.Resource]:
        """The container, and who logs in to it."""
        settings = self._args.settings.postgres
        container = self._runner.run(service)
        login = self._logins.postgres([container])
        tune_postgres(self._runner, settings, container, login)
        return [container, login]

    def _redis(self, service: Service) -> list[pulumi.Resource]:
        settings = self._args.settings.redis
        login = self._logins.redis(service, [self._runner.network])
        container = self._runner.run(service, [login])
        tune_redis(self._runner, settings, container, self._runner.folder(service))
        return [container, login]

    def _network(self) -> docker.Network:
        settings, place = self._args.settings, self._args.place
        subnets = (settings.subnet, *([settings.subnet6] if place.ipv6 else []))
        return docker.Network(
            f"{self._name}-network",
            name=settings.network,
            driver="bridge",
            ipv6=place.ipv6,
            ipam_configs=[addresses(each) for each in subnets],
            labels=[
                {"label": key, "value": value}
                for key, value in sorted({**place.labels, "machine": place.machine}.items())
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _nginx(self, service: Service) -> Balancer:
        settings = self._args.settings
        origin = Origin(
            site=self._args.around.site,
            settings=settings.nginx,
            proxies=cloudflare_addresses(),
            client_ca="client-ca.pem" if self._args.client_ca is not None else None,
            drain=settings.rolling.drain,
        )
        return Balancer(self._runner, service, origin, self._args.place.nginx, self._args.client_ca)

    def _release(self, release: Release, stateful: list[pulumi.Resource]) -> remote.Command:
        settings, around = self._args.settings, self._args.around
        backends = [backend(settings, release, number, around) for number in range(1, settings.backend.count + 1)]
        migrated = migrate(self._runner, backends[0], settings.backend.migration, stateful)
        # The logins as well: what a container came in with is withdrawn when it is gone, and not before.
        running = [self._runner.run(service, [migrated, *stateful]) for service in backends]
        pages = self._runner.run(frontend(settings, release), [migrated])
        return self._balancer.switch([each.name for each in running], [pages.name], settings, release)


def addresses(subnet: str) -> docker.NetworkIpamConfigArgs:
    """With its gateway: what Docker chooses by itself is read back, and looks like a change."""
    return docker.NetworkIpamConfigArgs(subnet=subnet, gateway=str(next(ip_network(subnet).hosts())))
