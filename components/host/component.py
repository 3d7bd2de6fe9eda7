"""The server of a system: it exists already, and is reached by SSH with its host key pinned."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import remote

from components.host.config import HostSettings
from components.host.items import Item
from components.host.remote import CONFIRM, converge_command
from components.host.report import token
from components.host.script import secret_file


@dataclass(frozen=True)
class VpsHostArgs:
    settings: HostSettings
    items: Sequence[Item] = ()
    """What else shall be on the server: the same list that `./infra drift` is given (ops/systems.py)."""
    drift: str = ""
    """The fingerprint of what a check has found (`./infra up` looks first). Empty: nothing, or nobody has looked."""


class VpsHost(pulumi.ComponentResource):
    """Converged by one command, confirmed by a second login: what locks the owner out is taken back by the server.

    `docker_host` comes out of the confirmed machine, so that nothing talks to an engine that is not there yet.
    """

    connection: remote.ConnectionArgs
    docker_host: pulumi.Output[str]
    ssh_options: list[str]
    identity: str
    """The same for the same machine: an input of everything that is made on it."""

    def __init__(self, name: str, args: VpsHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:host:VpsHost", name, None, opts)
        self._settings = settings = args.settings
        self.connection = connection_to(settings)
        self.ssh_options = pinned_host_key(settings)
        self.identity = identity(settings)
        converged = self._converge(f"{name}-converge", args)
        self._confirmed = remote.Command(
            f"{name}-second-login",
            create=CONFIRM,
            stdin=converged.stdout.apply(lambda output: f"{token(output)}\n"),
            **self._common(settings),
            opts=pulumi.ResourceOptions(parent=self),
        )
        address = f"ssh://{settings.deploy.name}@{settings.address}:{settings.ssh.port}"
        self.docker_host = self._confirmed.id.apply(lambda _: address)
        self.register_outputs({"docker_host": self.docker_host})

    def _converge(self, name: str, args: VpsHostArgs) -> remote.Command:
        """`drift` runs it again although no setting has changed: pulumi-command cannot read what is on the server.

        Without drift the text of the last repair stays, or every other run would show a change.
        """
        command, stdin = converge_command(args.settings, args.items)
        drift = args.drift
        return remote.Command(
            name,
            create=command,
            update=f"{command} # drift {drift}" if drift else command,
            stdin=stdin,
            **self._common(args.settings),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=[] if drift else ["update"]),
        )

    def secret(self, name: str, path: str, text: pulumi.Input[str], owner: int = 0) -> remote.Command:
        """A secret in a 0400 file on the server, by standard input: it is in no command line, log or plain state."""
        script = secret_file(path, owner)
        return remote.Command(
            name,
            create=script,
            update=script,
            delete=f"sudo rm -f -- {shlex.quote(path)}",
            stdin=pulumi.Output.secret(text),
            **self._common(self._settings),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[self._confirmed],
                additional_secret_outputs=["stdin", "stdout", "stderr"],
            ),
        )

    def _common(self, settings: HostSettings) -> dict[str, Any]:
        return {
            "connection": self.connection,
            # What fails is in the error; what succeeds needs no words.
            "logging": remote.Logging.NONE,
            "add_previous_output_in_env": False,
            # Another machine at the same address starts from nothing.
            "triggers": [settings.ssh.host_key],
        }


def identity(settings: HostSettings) -> str:
    return hashlib.sha256(settings.ssh.host_key.encode()).hexdigest()[:12]


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
