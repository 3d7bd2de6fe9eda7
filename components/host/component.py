"""The server of a system: it exists already, and is reached by SSH with its host key pinned."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.host.config import HostSettings
from components.host.script import directories


@dataclass(frozen=True)
class VpsHostArgs:
    settings: HostSettings


class VpsHost(pulumi.ComponentResource):
    """`docker_host` comes out of the prepared machine, so that nothing talks to an engine that is not there yet."""

    connection: remote.ConnectionArgs
    docker_host: pulumi.Output[str]
    ssh_options: list[str]

    def __init__(self, name: str, args: VpsHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:host:VpsHost", name, None, opts)
        settings = args.settings
        self.connection = connection_to(settings)
        self.ssh_options = pinned_host_key(settings)
        folders = remote.Command(
            f"{name}-directories",
            connection=self.connection,
            create=directories(settings),
            update=directories(settings),
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            # Another machine at the same address starts from nothing.
            triggers=[settings.ssh.host_key],
            opts=pulumi.ResourceOptions(parent=self),
        )
        address = f"ssh://{settings.deploy.name}@{settings.address}:{settings.ssh.port}"
        self.docker_host = folders.id.apply(lambda _: address)
        self.register_outputs({"docker_host": self.docker_host})


def connection_to(settings: HostSettings) -> remote.ConnectionArgs:
    """By the SSH agent (SSH_AUTH_SOCK): a private key would end up in the state."""
    return remote.ConnectionArgs(
        host=settings.address,
        port=settings.ssh.port,
        user=settings.ssh.user,
        host_key=settings.ssh.host_key,
        dial_error_limit=3,
        per_dial_timeout=15,
    )


def pinned_host_key(settings: HostSettings) -> list[str]:
    """For the docker provider, which runs `ssh`: the pinned key is the only one that it knows."""
    return [
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "UserKnownHostsFile=none",
        "-o",
        f"KnownHostsCommand=/bin/echo %H {settings.ssh.host_key}",
    ]
