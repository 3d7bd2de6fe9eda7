"""An image started as the server would start it, beside a database and a Redis that live as long as the trial."""

from __future__ import annotations

import os
import secrets
import string
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.containers.application import WITH_ENVIRONMENT, backend
from components.containers.config import ContainersSettings, Release
from components.containers.environment import Surroundings, environment_file, plain_variables, secret_variables
from components.containers.services import BACKEND_PORT, Service
from components.site import NeurmaticSite
from rehearsal import RehearsalError
from rehearsal.docker import DockerError, docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.images.throwaway import network as own_network

FENCE = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
SECRETS = "/run/secrets"
NO_DIGEST = "sha256:" + "0" * 64
LOGIN = "application"


@dataclass(frozen=True)
class Trial:
    """`variables` come from a file, as on the server; everything else is in the environment."""

    image: str
    service: Service
    settings: ContainersSettings
    network: str
    postgres: Container
    plain: Mapping[str, str]
    variables: Mapping[str, str]

    @contextmanager
    def running(self, without: str = "") -> Iterator[Container]:
        with self._secrets(without) as folder:
            flags = [*self._flags(folder), "--publish", f"127.0.0.1::{BACKEND_PORT}", *self._memory()]
            shell, *words = WITH_ENVIRONMENT
            entry = ["--entrypoint", shell]
            with throwaway(self.image, *words, *self.service.command, flags=[*flags, *entry]) as container:
                yield container

    def migrate(self) -> tuple[int, str]:
        """Exit code and last words of the migration, run as a deploy runs it."""
        with self._secrets() as folder:
            shell, *words = WITH_ENVIRONMENT
            command = [*words, *self.settings.backend.migration]
            flags = [*self._flags(folder), "--entrypoint", shell]
            with throwaway(self.image, *command, flags=flags) as container:
                return int(docker("wait", container.id, timeout=600)), last_words(container)

    def ask(self, container: Container, path: str, seconds: float = 5) -> tuple[int, bytes]:
        address = f"http://127.0.0.1:{container.published(BACKEND_PORT)}{path}"
        try:
            with urllib.request.urlopen(address, timeout=seconds) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    def becomes(self, container: Container, well: bool, seconds: float, path: str = "") -> bool:
        """Whether a health endpoint says so in time, by default the ready one; no answer is no."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and container.running:
            if self._well(container, path or self.settings.health_path) == well:
                return True
            time.sleep(0.2)
        return False

    def _well(self, container: Container, path: str) -> bool:
        try:
            return self.ask(container, path)[0] == 200
        except (OSError, DockerError):
            # Without its port it has just ended.
            return False

    def connections(self) -> int:
        ask = ("psql", "-U", "owner", "-d", self.settings.postgres.database, "-At", "-v", f"login={LOGIN}", "-f", "-")
        count = b"SELECT count(*) FROM pg_stat_activity WHERE usename = :'login'"
        return int(self.postgres.run(*ask, stdin=count))

    @contextmanager
    def _secrets(self, without: str = "") -> Iterator[Path]:
        values = {name: value for name, value in self.variables.items() if name != without}
        with tempfile.TemporaryDirectory(prefix="rehearsal-contract-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            file = folder / "environment"
            file.write_text(environment_file({name: "{" + name + "}" for name in values}, values))
            # Of nobody but the container's user where that can be had, as on the server.
            file.chmod(0o444 if os.getuid() else 0o400)
            if not os.getuid():
                os.chown(file, *(int(part) for part in self.service.user.split(":")))
            yield folder

    def _flags(self, folder: Path) -> list[str]:
        plain = [part for name, value in self.plain.items() for part in ("--env", f"{name}={value}")]
        memory = [part for path in self.service.writable for part in ("--tmpfs", path)]
        mount = ("--volume", f"{folder}:{SECRETS}:ro")
        return [*FENCE, "--user", self.service.user, "--network", self.network, *mount, *memory, *plain]

    def _memory(self) -> list[str]:
        return ["--memory", f"{self.service.memory}m", "--memory-swap", f"{self.service.memory}m"]


@contextmanager
def trial(image: str, settings: ContainersSettings, site: NeurmaticSite) -> Iterator[Trial]:
    fetch(image)
    around = Surroundings("staging", site, "media", "eu-west-1", LOGIN)
    service = backend(settings, Release(version="0.0.0", backend=NO_DIGEST, frontend=NO_DIGEST), 1, around)
    with ExitStack() as stack:
        network = stack.enter_context(own_network())
        known = stand_ins(secret_variables(settings, around))
        postgres = stack.enter_context(database(network, settings, known["postgres"]))
        on = ["--network", network, "--network-alias", "redis"]
        stack.enter_context(throwaway(ensure_image("redis").tag, "--requirepass", known["redis"], flags=on))
        filled = {name: text.format(**known) for name, text in secret_variables(settings, around).items()}
        plain = {**plain_variables(settings, around), "INSTANCE": "backend-1"}
        yield Trial(image, service, settings, network, postgres, plain, filled)


def fetch(image: str) -> None:
    if docker("image", "ls", "--quiet", image):
        return
    try:
        docker("pull", "--quiet", image, timeout=600)
    except DockerError as refusal:
        raise RehearsalError(f"There is no image {image} on this machine, and it cannot be pulled: {refusal}") from None


def stand_ins(variables: Mapping[str, str]) -> dict[str, str]:
    """A value of its own for each credential that a variable is made of."""
    names = {field for text in variables.values() for _, field, _, _ in string.Formatter().parse(text) if field}
    return {name: secrets.token_hex(32) for name in sorted(names)}


@contextmanager
def database(network: str, settings: ContainersSettings, password: str) -> Iterator[Container]:
    name = settings.postgres.database
    given = ["POSTGRES_USER=owner", f"POSTGRES_DB={name}", "POSTGRES_PASSWORD=owner"]
    flags = ["--network", network, "--network-alias", "postgres", "--tmpfs", "/var/lib/postgresql/data"]
    flags += [part for each in given for part in ("--env", each)]
    with throwaway(ensure_image("postgres").tag, flags=flags) as server:
        server.wait_until(lambda: server.run("pg_isready", "-q", "-h", "127.0.0.1") == "", "PostgreSQL answers")
        make = f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{password}'; ALTER DATABASE {name} OWNER TO {LOGIN}"
        for statement in make.split("; "):
            server.run("psql", "-q", "-U", "owner", "-d", name, "-f", "-", stdin=statement.encode())
        yield server


def last_words(container: Container, lines: int = 3) -> str:
    said = [line for line in container.logs().splitlines() if line.strip()][-lines:]
    return " / ".join(said)[:300] or "it said nothing"
