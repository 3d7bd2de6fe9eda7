"""Who may log in to PostgreSQL and Redis: a resource for each version of a password.

A new version is accepted before anything that uses it starts. The one before is withdrawn by its deletion, which the
engine does last, after the containers that were made with it are gone. So an `up` that changes a generation has the
right order by itself, and one that was cut off is completed by the next.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pulumi
from pulumi_command import remote

from components.containers.config import ContainersSettings
from components.containers.run import Runner
from components.containers.services import Service
from components.credentials.versions import login, place, versioned

POSTGRES, REDIS = "postgres-logins", "redis-logins"


class Logins:
    """The server's scripts do it, and these resources call them."""

    def __init__(self, runner: Runner, settings: ContainersSettings) -> None:
        self._runner, self._settings = runner, settings
        self._generations = runner.args.credentials.generations

    def postgres(self, after: Sequence[pulumi.Resource]) -> remote.Command:
        owner, database = self._settings.postgres.user, self._settings.postgres.database
        which = ["--owner", owner, "--database", database, "--login", login(owner, self._generations["postgres"])]
        return self._login("postgres", POSTGRES, which, after)

    def redis(self, service: Service, after: Sequence[pulumi.Resource]) -> remote.Command:
        """Before Redis starts: it reads its users from the file that this writes."""
        user = service.user.partition(":")[0]
        which = ["--folder", self._runner.folder(service), "--user", user, "--place", place(self._generations["redis"])]
        return self._login("redis", REDIS, which, after)

    def close(self, after: Sequence[pulumi.Resource]) -> remote.Command:
        """A database that is older than this had its owner log in: from now on it does so by the socket alone."""
        words = self._words("postgres", POSTGRES, "close", ["--owner", self._settings.postgres.user])
        return self._runner.command("postgres-owner", self._said(words), "", depends_on=list(after))

    def _login(self, server: str, script: str, which: list[str], after: Sequence[pulumi.Resource]) -> remote.Command:
        generation = self._generations[server]
        which = [*which, "--generation", str(generation)]
        accept = self._said(self._words(server, script, "accept", which))
        runner = self._runner
        # Without triggers: replaced, it would withdraw after it has accepted. Another machine is an update.
        runner.commands[f"{server}-login"] = command = remote.Command(
            versioned(f"{runner.prefix}-{server}-login", generation),
            connection=runner.args.connection,
            create=accept,
            update=accept,
            delete=self._said(self._words(server, script, "withdraw", which)),
            stdin=runner.args.credentials[server].apply(lambda password: f"{password}\n"),
            logging=remote.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=runner.parent,
                depends_on=list(after),
                additional_secret_outputs=["stdin", "stdout", "stderr"],
            ),
        )
        return command

    def _words(self, server: str, script: str, action: str, which: list[str]) -> list[str]:
        container = self._runner.args.place.called(server)
        path = f"{self._runner.args.place.infrastructure}/scripts/{script}"
        return ["sudo", "-n", path, action, "--container", container, *which]

    def _said(self, words: list[str]) -> str:
        return f"{shlex.join(words)} # machine {self._runner.args.place.machine}"
