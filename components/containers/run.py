"""A service becomes a container: its image, its secret files, and what Docker is told."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_docker as docker
from pulumi_command import remote

from components.containers.docker import ENVIRONMENT, container_arguments
from components.containers.environment import environment_file
from components.containers.felt import protected
from components.containers.services import Service
from components.host.script import secret_file

if TYPE_CHECKING:
    from components.containers.component import ContainerStackArgs


@dataclass(frozen=True)
class Ran:
    """A container that was made, for the record of what was (`record.py`)."""

    resource: str
    service: Service
    container: docker.Container
    labels: Sequence[docker.ContainerLabelArgsDict]


@dataclass(frozen=True)
class Written:
    """A secret file that was written."""

    resource: str
    path: str
    owner: int
    text: pulumi.Output[str]


class Runner:
    """Runs services of one stack; replicas share an image and its secret files."""

    def __init__(self, parent: pulumi.Resource, prefix: str, args: ContainerStackArgs, network: docker.Network) -> None:
        self.parent, self.prefix, self.args, self.network = parent, prefix, args, network
        self._images: dict[str, docker.RemoteImage] = {}
        self._written: dict[tuple[str, str], remote.Command] = {}
        self.commands: dict[str, remote.Command] = {}
        self.ran: list[Ran] = []
        self.texts: list[Written] = []

    def run(self, service: Service, after: Sequence[pulumi.Resource] = ()) -> docker.Container:
        """What rolls has no name of its own, or its successor could not start beside it: the engine adds one."""
        called = self.args.place.called(service.name)
        files = [*self.secrets(service), *self._data(service)]
        resource, labels = called if service.rolls else f"{self.prefix}-{service.name}", self._labels(service)
        container = docker.Container(
            resource,
            name=None if service.rolls else called,
            image=self.image(service).image_id,
            networks_advanced=[{"name": self.network.name, "aliases": [service.name]}],
            labels=labels,
            **container_arguments(service, self.args.settings, self.folder(service)),
            opts=pulumi.ResourceOptions(
                parent=self.parent,
                depends_on=[*files, *after],
                # The provider takes a change of these for no change at all (kreuzwerker/terraform-provider-docker#988).
                replace_on_changes=["healthcheck", "tmpfs"],
                delete_before_replace=not service.rolls,
                # One port at two addresses is read back in any order; where it is published is among the labels.
                ignore_changes=["ports"] if len(service.addresses) > 1 else None,
                protect=protected(service.name, self.args.settings.allow, disposable=self.args.disposable) or None,
            ),
        )
        self.ran.append(Ran(resource, service, container, labels))
        return container

    def image(self, service: Service) -> docker.RemoteImage:
        if service.kind not in self._images:
            self._images[service.kind] = docker.RemoteImage(
                f"{self.prefix}-{service.kind}-image",
                name=service.image,
                # A rollback must not wait for a registry.
                keep_locally=True,
                triggers={"machine": self.args.place.machine},
                opts=pulumi.ResourceOptions(parent=self.parent),
            )
        return self._images[service.kind]

    def folder(self, service: Service) -> str:
        return self.args.place.secrets(service.kind)

    def secrets(self, service: Service) -> list[remote.Command]:
        texts = {file: self._filled(text) for file, text in service.secrets.items()}
        if service.secret_environment:
            texts[ENVIRONMENT] = self._variables(service)
        return [self._secret(service, file, text) for file, text in sorted(texts.items())]

    def command(self, role: str, script: str, stdin: pulumi.Input[str], **options: Any) -> remote.Command:
        """Something said to the host; said again when the script or what it reads has changed."""
        logging = options.pop("logging", remote.Logging.NONE)
        self.commands[role] = remote.Command(
            f"{self.prefix}-{role}",
            connection=self.args.connection,
            create=script,
            update=script,
            stdin=stdin,
            logging=logging,
            add_previous_output_in_env=False,
            triggers=[self.args.place.machine],
            opts=pulumi.ResourceOptions(parent=self.parent, **options),
        )
        return self.commands[role]

    def _secret(self, service: Service, file: str, text: pulumi.Output[str]) -> remote.Command:
        """By standard input into a file of the container's user: in no command line, log or environment."""
        if (service.kind, file) not in self._written:
            owner, path = int(service.user.partition(":")[0]), f"{self.folder(service)}/{file}"
            role = f"{service.kind}-{file.replace('.', '-')}"
            self.texts.append(Written(f"{self.prefix}-{role}", path, owner, text))
            self._written[service.kind, file] = self.command(
                role,
                secret_file(path, owner),
                text,
                additional_secret_outputs=["stdin", "stdout", "stderr"],
            )
        return self._written[service.kind, file]

    def _data(self, service: Service) -> list[remote.Command]:
        """The folder of a stateful container; one that is there already is left as it is, whoever made it."""
        if service.data is None:
            return []
        folder, (user, _, group) = shlex.quote(service.data[0]), service.user.partition(":")
        script = f"sudo test -d {folder} || sudo install -d -m 0700 -o {user} -g {group} -- {folder}"
        # PostgreSQL would begin a new cluster beside one that another stack has left there.
        refusal = f"{service.data[0]} holds a cluster where the stack does not expect one: docs/day-two.md moves it."
        script += f" && {{ ! sudo test -e {folder}/PG_VERSION || {{ echo {shlex.quote(refusal)} >&2; exit 1; }}; }}"
        return [self.command(f"{service.kind}-data", script, "")]

    def _labels(self, service: Service) -> list[docker.ContainerLabelArgsDict]:
        """Variables are read once, at the start: a container with other ones is another container."""
        labels: dict[str, pulumi.Input[str]] = {
            **self.args.place.labels,
            "machine": self.args.place.machine,
            "service": service.kind,
        }
        if len(service.addresses) > 1:
            labels["addresses"] = " ".join(service.addresses)
        if service.secret_environment:
            labels["variables"] = pulumi.Output.unsecret(self._variables(service).apply(fingerprint))
        return [{"label": key, "value": value} for key, value in sorted(labels.items())]

    def _variables(self, service: Service) -> pulumi.Output[str]:
        variables = service.secret_environment
        values = self._values(" ".join(variables.values()))
        return pulumi.Output.secret(values.apply(lambda known: environment_file(variables, known)))

    def _filled(self, text: str) -> pulumi.Output[str]:
        """`requirepass {redis}` with the credential in its place; secret, because what goes in is."""
        return pulumi.Output.secret(self._values(text).apply(lambda known: text.format(**known)))

    def _values(self, text: str) -> pulumi.Output[Mapping[str, str]]:
        known = {**self.args.secrets, **{name: self.args.credentials[name] for name in self.args.credentials.names}}
        used = {name: value for name, value in known.items() if f"{{{name}}}" in text}
        # Of nothing, Output.all makes a list.
        return pulumi.Output.all(**used) if used else pulumi.Output.from_input({})


def fingerprint(text: str) -> str:
    """Of a file full of random secrets, so that nothing can be guessed from it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
