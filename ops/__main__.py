"""`./infra`: the verbs, one line each. A verb's own file is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import cast

import click

from ops.errors import reported

# verb: (where it lives, what it does)
VERBS = {
    "preview": ("ops.preview:preview", "What `up` would do, policy-checked"),
    "review": ("ops.review.verb:review", "What a change would do on top of its base, as one report"),
    "judge": ("ops.judge:judge", "What is deployed, judged by the policies as they are now"),
    "up": ("ops.up:up", "Make it so, after showing it and asking"),
    "deploy": ("ops.deploy.deploy:deploy", "A release from the registry takes over, and nobody notices"),
    "rollback": ("ops.deploy.rollback:rollback", "A release that has served before comes back, without a registry"),
    "scale": ("ops.deploy.scale:scale", "More or fewer backends, with the sums shown first"),
    "shell": ("ops.shell:shell", "A shell in which bare `pulumi` works, policy-checked"),
    "check": ("ops.check:check", "All mistakes of a stack file at once, without an engine"),
    "outputs": ("ops.outputs:outputs", "What a stack hands out: for people, as JSON, as an env file"),
    "bootstrap": ("ops.bootstrap:bootstrap", "First time: state backend, secrets provider, host key"),
    "adopt": ("ops.adopt.verb:adopt", "Buckets that exist, and a stack that docker-compose runs, are taken over"),
    "escrow": ("ops.escrow.verb:escrow", "The sealed copy of the state, and the way back from it"),
    "credentials": ("ops.credentials.listing:credentials", "Each secret's source, age and due date; never a value"),
    "rotate": ("ops.credentials.rotate:rotate", "Another version of one credential, and nobody notices"),
    "preflight": ("ops.preflight:preflight", "What stands in the way of an `up`, before anything is touched"),
    "backup": ("ops.backup.verbs:backup", "Dump the database now, restored on trial before it counts; --list"),
    "restore": ("ops.backup.verbs:restore", "Make a backup the live database, or put it beside it"),
    "recover": ("ops.drill.recover:recover", "The way back when the server, the database or rows are lost"),
    "drill": ("ops.drill.verb:drill", "A disaster played, and the way back measured"),
    "database": ("ops.backup.verbs:database", "Row level security and the audit log of neuropilot's database, tried"),
    "drift": ("ops.drift:drift", "What somebody changed on the server by hand"),
    "health": ("ops.health:health", "Whether the product works: on its server, and from here"),
    "logs": ("ops.logs:logs", "What a service writes, across deploys as well"),
    "contract": ("ops.image_contract:contract", "What an image of the application lacks to be run here"),
    "rehearse": ("ops.rehearse:rehearse", "The whole stack, or a bare server, in a container to try things on"),
}


class Verbs(click.Group):
    """A table instead of imports: `./infra check` must not wait for modules that it does not use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module, _, attribute = VERBS[name][0].partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def infra() -> None:
    """The operator's command. `./infra VERB --help` says more about a verb."""


if __name__ == "__main__":
    with reported():
        sys.exit(infra(prog_name="./infra"))
