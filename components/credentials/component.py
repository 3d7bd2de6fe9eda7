"""Secrets that the program makes itself, so that nobody has ever typed or seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_random import RandomPassword

from components.credentials.config import CredentialsSettings


@dataclass(frozen=True)
class CredentialsArgs:
    settings: CredentialsSettings
    names: Sequence[str]
    """What each is called: postgres, redis, jwt, ..."""


class Credentials(pulumi.ComponentResource):
    """Each lives in the state, encrypted, and is given out by name."""

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:credentials:Credentials", name, None, opts)
        self._values = {credential: self._generate(name, credential, args.settings) for credential in args.names}
        self.register_outputs({})

    def _generate(self, name: str, credential: str, settings: CredentialsSettings) -> pulumi.Output[str]:
        # Letters and digits alone: the value passes through URLs, env files and shells unchanged.
        password = RandomPassword(
            f"{name}-{credential}",
            length=settings.length,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.secret(password.result)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        return self._values[name]

    @property
    def names(self) -> list[str]:
        return list(self._values)
