"""The database's migrations: once for each release, before any of its containers starts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pulumi
from pulumi_command import remote

from components.containers.application import WITH_ENVIRONMENT
from components.containers.docker import ENVIRONMENT, SECRETS_FOLDER
from components.containers.onhost.releases import FILE
from components.containers.run import Runner
from components.containers.services import Service

FAILED = "Gate migration: it failed, so nothing of the new release was started. What it said stands above."


def migrate(
    runner: Runner, service: Service, command: Sequence[str], after: Sequence[pulumi.Resource]
) -> remote.Command:
    """In a container that is gone afterwards. When it fails nothing of the new release has started yet."""
    history = f"{runner.args.place.nginx}/{FILE}"
    return runner.command(
        "migration",
        script(runner.args.settings.network, service, command, runner.folder(service), history),
        "",
        logging=remote.Logging.STDOUT_AND_STDERR,
        depends_on=[*after, runner.network, *runner.secrets(service), runner.image(service)],
    )


def script(network: str, service: Service, command: Sequence[str], secrets: str, history: str) -> str:
    """`history` names the releases that have served here."""
    fence = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", service.user]
    place = ["--network", network, "--volume", f"{secrets}/{ENVIRONMENT}:{SECRETS_FOLDER}/{ENVIRONMENT}:ro"]
    size = ["--memory", f"{service.memory}m", "--cpus", f"{service.cpus:g}", "--tmpfs", "/tmp"]  # noqa: S108
    shell, *words = WITH_ENVIRONMENT
    run = ["docker", "run", "--rm", *fence, *place, *size, "--entrypoint", shell, service.image, *words, *command]
    # By its images: what a release of before has to say about a database that is ahead of it stops no way back.
    served = shlex.quote(f'"backend": "{service.image}"')
    return (
        f"sudo -n {shlex.join(run)} && exit\n"
        f"if sudo -n grep -qsF {served} {shlex.quote(history)}; then\n"
        f"  echo 'Its migrations ran when this release served before: the containers come back without them.' >&2\n"
        f"else\n  echo {shlex.quote(FAILED)} >&2\n  exit 1\nfi"
    )
