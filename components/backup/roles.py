"""The roles of a database elsewhere, made and kept by the server that dumps it (docs/decisions/0014)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.host.component import VpsHost


@dataclass(frozen=True)
class DatabaseRolesArgs:
    host: VpsHost
    script: str
    """What makes them, on that server."""
    owner: pulumi.Input[str]
    """The owner's address: it goes by standard input, and stays nowhere on the server."""
    passwords: Mapping[str, pulumi.Input[str]]
    """Of each role."""


class DatabaseRoles(pulumi.ComponentResource):
    """Nothing of them is taken back with the stack: what they own are the data."""

    def __init__(self, name: str, args: DatabaseRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:backup:DatabaseRoles", name, None, opts)
        told: pulumi.Input[str] = pulumi.Output.json_dumps({"address": args.owner, "passwords": dict(args.passwords)})
        remote.Command(
            f"{name}-roles",
            connection=args.host.connection,
            create=args.script,
            update=args.script,
            stdin=pulumi.Output.secret(told),
            logging=remote.Logging.NONE,
            add_previous_output_in_env=False,
            # Another machine is no reason to make them anew: it is an update.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[args.host],
                additional_secret_outputs=["stdin", "stdout", "stderr"],
            ),
        )
        self.register_outputs({})
