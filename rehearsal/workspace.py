"""A place where a stack can be rehearsed: its own project folder, backend, plugins and secrets.

Nothing outside of it is read or written: no account, no credential, and the checkout stays as it is. The program is
not copied: the project file of the workspace names the checkout as its `main`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rehearsal import RehearsalError, agent, official, stackfile

if TYPE_CHECKING:
    from rehearsal.clouds.servers import Clouds
    from rehearsal.machine import Machine

__all__ = ["REHEARSAL", "ROOT", "WORKSPACES", "RehearsalError", "Workspace", "machine_of"]

ROOT = Path(__file__).resolve().parent.parent
WORKSPACES = ROOT / ".toolchain" / "rehearsal"
# Only these pass from the caller's environment: credentials and endpoints of real accounts do not.
PASSED_ON = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER", "XDG_CACHE_HOME")
PASSPHRASE = "rehearsal"  # noqa: S105 (nothing secret is ever kept in a rehearsal)
# Settings of one rehearsal, in its folder.
KEPT = "settings.yaml"
# Says to a program that addresses which are not known yet may be stand-ins (docs/decisions/0002).
REHEARSAL = "INFRA_REHEARSAL"


@dataclass(frozen=True)
class Workspace:
    """One rehearsal of one project. Two of different names never meet."""

    source: Path
    name: str = "default"
    machine: Machine | None = None
    """The server of this rehearsal. Without one, commands over SSH and containers only keep their state."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the stack file, by its own keys: {"neurmatic:containers": {"postgres": {"memory": "1GB"}}}.

    They are kept: who opens the same rehearsal without any goes on with these.
    """

    official: bool = False
    """With the official plugins instead of the stand-ins."""

    @property
    def folder(self) -> Path:
        return WORKSPACES / self.name / self.project_name

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / ("official" if self.official else "home")

    @property
    def backend(self) -> Path:
        """Shared by the projects of one rehearsal, so that one can read the other's outputs."""
        return WORKSPACES / self.name / "backend"

    @property
    def clouds(self) -> Path:
        """Where the emulated clouds of this rehearsal keep what they hold."""
        return WORKSPACES / self.name / "clouds"

    def start_clouds(self) -> Clouds:
        """Plugins do so by themselves when they need them; tests and tools ask here."""
        from rehearsal.clouds import servers  # noqa: PLC0415  a preview starts none

        return servers.start(self.clouds)

    @property
    def project_name(self) -> str:
        return str(yaml.safe_load((self.source / "Pulumi.yaml").read_text())["name"])

    def environment(self, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
        key = {"SSH_AUTH_SOCK": str(agent.serve(self.machine.key_path, os.getpid()))} if self.machine else {}
        endpoints = official.endpoints(self.start_clouds()) if self.official else {}
        return {
            **{name: caller[name] for name in PASSED_ON if name in caller},
            **key,
            **endpoints,
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            REHEARSAL: self.name,
            # The engine would look on the internet for the plugin of every SDK that is installed.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def prepare(self, stack: str, environment: Mapping[str, str], secrets: Sequence[str]) -> None:
        """Everything that the engine needs, made when missing and renewed when the committed files change."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if self.settings:
                self.keep(self.settings)
            if self.official:
                official.install(self.home, f"file://{self.backend}", environment)
            else:
                self._install_plugins(stack)
            self.backend.mkdir(exist_ok=True)
            self.project.mkdir(exist_ok=True)
            self._write_project_file()
            wanted = self._fingerprint(stack, secrets)
            if self._prepared(stack) != wanted:
                self._write_stack_file(stack, environment, secrets)
                write(self._mark(stack), wanted)

    @property
    def kept(self) -> dict[str, Any]:
        """What is laid over the stack file."""
        file = self.folder / KEPT
        return yaml.safe_load(file.read_text()) if file.is_file() else {}

    def keep(self, settings: Mapping[str, Any]) -> None:
        write(self.folder / KEPT, yaml.safe_dump(dict(settings), sort_keys=True))

    def _install_plugins(self, stack: str) -> None:
        try:
            from rehearsal.offline.install import install  # noqa: PLC0415 (the folder may have been deleted)
        except ImportError as error:
            raise RehearsalError(
                "A rehearsal needs the stand-in plugins, and rehearsal/offline/ is not in this checkout."
            ) from error
        source = self.source / f"Pulumi.{stack}.yaml"
        zones = stackfile.zones(source.read_text()) if source.is_file() else {}
        machine = [self.machine.address] if self.machine else []
        install(self.home, [f"file://{self.backend}"], zones=zones, machine=machine, clouds=self.clouds)

    def _write_project_file(self) -> None:
        document = yaml.safe_load((self.source / "Pulumi.yaml").read_text())
        document["main"] = str(self.source)
        document["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
        document.pop("backend", None)
        write(self.project / "Pulumi.yaml", yaml.safe_dump(document, sort_keys=False))

    def _write_stack_file(self, stack: str, environment: Mapping[str, str], secrets: Sequence[str]) -> None:
        source = self.source / f"Pulumi.{stack}.yaml"
        if not source.is_file():
            raise RehearsalError(f"There is no {source.name} in {self.source}: name one of its stacks.")
        write(self.project / source.name, self._stack_file(source.read_text()))
        if not self._exists(stack):
            self._pulumi(environment, "stack", "init", stack)
        if secrets:
            pairs = [word for key in secrets for word in ("--secret", f"{key}={self._secret(key)}")]
            self._pulumi(environment, "config", "set-all", "--stack", stack, *pairs)

    def _secret(self, key: str) -> str:
        """A generated value; only the official plugin has to show the emulated API the one that it knows."""
        if self.official and key.endswith(":cloudflare_api_token"):
            return self.start_clouds().cloudflare_token
        return stackfile.stand_in(key)

    def _stack_file(self, committed: str) -> str:
        server = server_on(self.machine) if self.machine else stackfile.NO_SERVER if self.official else None
        return stackfile.rehearse(committed, self.project_name, server, self.kept)

    def _exists(self, stack: str) -> bool:
        return (self.backend / ".pulumi" / "stacks" / self.project_name / f"{stack}.json").is_file()

    def _fingerprint(self, stack: str, secrets: Sequence[str]) -> str:
        source = self.source / f"Pulumi.{stack}.yaml"
        parts = [
            source.read_text() if source.is_file() else "",
            *secrets,
            repr((sorted(self.kept.items()), self.official)),
        ]
        parts += [repr(asdict(server_on(self.machine)))] if self.machine else []
        parts += [Path(module).read_text() for module in (__file__, stackfile.__file__)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _mark(self, stack: str) -> Path:
        return self.folder / f"{stack}.prepared"

    def _prepared(self, stack: str) -> str | None:
        complete = self._mark(stack).is_file() and self._exists(stack)
        return self._mark(stack).read_text() if complete else None

    def _pulumi(self, environment: Mapping[str, str], *arguments: str) -> None:
        command = ["pulumi", "--non-interactive", *arguments]
        result = subprocess.run(
            command, cwd=self.project, env=dict(environment), capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise RehearsalError(f"`pulumi {' '.join(arguments[:2])}` failed: {result.stderr.strip()}")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def machine_of(name: str) -> Machine | None:
    """The machine that `./infra up --rehearsal` works on, while it runs: the one called like the rehearsal, or `main`
    for the default one."""
    name = "main" if name == "default" else name
    if not (WORKSPACES / "machines" / name / "machine.json").is_file():
        return None
    from rehearsal.machine import Machine  # noqa: PLC0415  most rehearsals have no machine

    machine = Machine.find(name)
    return machine if machine.running() else None


def server_on(machine: Machine) -> stackfile.Server:
    from rehearsal.machine import container  # noqa: PLC0415  most rehearsals have no machine

    public = machine.key_path.with_suffix(".pub").read_text().strip()
    cpus = container.inspect(machine.record.container)["HostConfig"]["NanoCpus"] / 1e9
    return stackfile.Server(machine.address, machine.user, machine.host_key, public, cpus)


def write(path: Path, text: str) -> None:
    """A reader sees the old file or the new one, never half of it."""
    if path.is_file() and path.read_text() == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
