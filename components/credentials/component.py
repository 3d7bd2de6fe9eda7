"""Secrets that the program makes itself, so that nobody has ever typed or seen them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_random import RandomPassword

from components.credentials.versions import PREVIOUS, versioned


@dataclass(frozen=True)
class CredentialsArgs:
    length: int
    generations: Mapping[str, int]
    """Which version of each is in use: postgres, redis, jwt, ..."""
    previous: Collection[str] = ()
    """Those whose version before is given out as well, as `jwt_previous`."""


class Credentials(pulumi.ComponentResource):
    """Each lives in the state, encrypted, and is given out by name.

    Another version is another resource: the engine makes it first, and takes the one before away last, when everything
    that was made with it has gone.
    """

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:credentials:Credentials", name, None, opts)
        self.generations = args.generations
        self._name, self._length = name, args.length
        self._values = {each: self._generate(each, version) for each, version in args.generations.items()}
        before = {each: args.generations[each] - 1 for each in args.previous if args.generations[each] > 1}
        self._values |= {f"{each}{PREVIOUS}": self._generate(each, version) for each, version in before.items()}
        self.register_outputs({})

    def _generate(self, credential: str, generation: int) -> pulumi.Output[str]:
        # Letters and digits alone: the value passes through URLs, env files and shells unchanged.
        password = RandomPassword(
            versioned(f"{self._name}-{credential}", generation),
            length=self._length,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.secret(password.result)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        return self._values[name]

    @property
    def names(self) -> list[str]:
        return list(self._values)
