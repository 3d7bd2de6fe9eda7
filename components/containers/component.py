"""The containers of a system, on the Docker engine of its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker
from pulumi_command import remote

from components.containers.config import ContainersSettings
from components.containers.docker import container_arguments
from components.containers.services import Service, postgres, redis
from components.credentials.component import Credentials
from components.host.script import secret_file


@dataclass(frozen=True)
class ContainerStackArgs:
    settings: ContainersSettings
    connection: remote.ConnectionArgs
    credentials: Credentials
    names: str
    """How containers are called; {service} stands for the service."""
    root: str
    """The product's folder on the host."""
    data: str
    """Where stateful containers keep their data."""
    labels: Mapping[str, str]


class ContainerStack(pulumi.ComponentResource):
    """So far the stateful services: PostgreSQL and Redis, on loopback of the host alone."""

    def __init__(self, name: str, args: ContainerStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:containers:ContainerStack", name, None, opts)
        self._prefix, self._args = name, args
        self.network = docker.Network(
            f"{name}-network",
            name=args.settings.network,
            driver="bridge",
            labels=[{"label": key, "value": value} for key, value in sorted(args.labels.items())],
            opts=pulumi.ResourceOptions(parent=self),
        )
        services = [postgres(args.settings.postgres, args.data), redis(args.settings.redis, args.data)]
        self.containers = {service.name: self._run(service) for service in services}
        self.register_outputs({name: container.name for name, container in self.containers.items()})

    def _run(self, service: Service) -> docker.Container:
        image = docker.RemoteImage(
            f"{self._prefix}-{service.name}-image",
            name=service.image,
            # A rollback must not wait for a registry.
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        folder = f"{self._args.root}/infrastructure/secrets/{service.name}"
        secrets = [self._secret(service, folder, file) for file in sorted(service.secrets)]
        return docker.Container(
            f"{self._prefix}-{service.name}",
            name=self._args.names.format(service=service.name),
            image=image.image_id,
            networks_advanced=[{"name": self.network.name, "aliases": [service.name]}],
            labels=[{"label": key, "value": value} for key, value in sorted(self._args.labels.items())],
            **container_arguments(service, self._args.settings, folder),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=secrets,
                # The provider takes a change of these for no change at all (kreuzwerker/terraform-provider-docker#988).
                replace_on_changes=["healthcheck", "tmpfs"],
            ),
        )

    def _secret(self, service: Service, folder: str, file: str) -> remote.Command:
        """By standard input into a file of the container's user: in no command line, log or environment."""
        owner = int(service.user.partition(":")[0])
        script = secret_file(f"{folder}/{file}", owner)
        return remote.Command(
            f"{self._prefix}-{service.name}-{file.replace('.', '-')}",
            connection=self._args.connection,
            create=script,
            update=script,
            stdin=fill_in(service.secrets[file], self._args.credentials),
            logging=remote.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["stdin", "stdout", "stderr"]),
        )


def fill_in(text: str, credentials: Credentials) -> pulumi.Output[str]:
    """`requirepass {redis}` with the credential in its place; secret, because what goes in is."""
    names = [name for name in credentials.names if f"{{{name}}}" in text]
    values = pulumi.Output.all(**{name: credentials[name] for name in names})
    return pulumi.Output.secret(values.apply(lambda known: text.format(**known)))
