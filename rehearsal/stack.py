"""The production program on a rehearsal machine: its images where the machine finds them, and the settings they need.

A registry under the real one's name holds what a release is made of, so that the program pulls by digest and logs in
as it would. What differs from the committed stack file is what `settings` returns, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.images import backend, ensure_image, frontend
from rehearsal.images.catalogue import Recipe
from rehearsal.machine import Machine
from rehearsal.registry import Registry, registry
from rehearsal.registry_place import write_place
from rehearsal.stackfile import laid_over, stand_in

HOST = "ghcr.io"
OWNER = "alexbaum-ai"
NGINX = "1.22.1"
BASES = {"postgres": "15", "redis": "7", "nginx": "alpine"}
# A machine of this size holds the doubled set of a deploy.
SMALL = {"postgres": "512MB", "redis": "160MB", "backend": "256MB", "frontend": "64MB", "nginx": "256MB"}


@dataclass(frozen=True)
class Images:
    """The registry that a machine knows as ghcr.io, and what is in it."""

    machine: Machine
    registry: Registry
    stateful: Mapping[str, str]
    """Images that are no release, by service: published once."""

    def release(self, version: str, **faults: str) -> dict[str, str]:
        """Published as the application's own pipeline would: the `release` of a stack file. A fault is an image."""
        return {
            "version": version,
            "backend": self._publish(backend(version, faults), "neurm-backend", version),
            "frontend": self._publish(frontend(version), "neurm-frontend", version),
        }

    def settings(self, release: Mapping[str, str] | None, **more: Any) -> dict[str, Any]:
        """For `Workspace(settings=...)`: smaller containers, images of this machine, and an nginx that is older."""
        sizes = {name: {"memory": size} for name, size in SMALL.items()}
        containers = {
            **sizes,
            "postgres": {**sizes["postgres"], "image": self.stateful["postgres"], "shared_buffers": "64MB"},
            "redis": {**sizes["redis"], "image": self.stateful["redis"], "maxmemory": "64MB"},
            "backend": {**sizes["backend"], "command": ["docker-entrypoint.sh", "server"]},
            "nginx": {**sizes["nginx"], "image": self.stateful["nginx"], "at_least": NGINX},
            # Of the emulated Cloudflare: no authority has to be asked, and no name to lead here.
            "certificates": {"issuer": "cloudflare_origin"},
            "system_memory": "256MB",
            "rolling": {"soak": "5s", "drain": "5s"},
            **({"release": dict(release)} if release else {}),
        }
        return {"neurmatic:containers": laid_over(containers, more.pop("containers", {})), **more}

    def _publish(self, wanted: Recipe, repository: str, tag: str) -> str:
        return self.registry.publish(ensure_image(wanted).tag, f"{OWNER}/{repository}", tag)


@contextmanager
def images_for(machine: Machine) -> Iterator[Images]:
    """The program logs in as the stack's user, with the token that a rehearsal generates."""
    with registry(names=(HOST,), login=(OWNER, stand_in("neurmatic:registry_token"))) as running:
        introduce(machine, running)
        yield Images(machine, running, {name: published(running, name, tag) for name, tag in BASES.items()})


def published(running: Registry, name: str, tag: str) -> str:
    running.publish(ensure_image(name).tag, f"{OWNER}/{name}", tag)
    return f"{HOST}/{OWNER}/{name}:{tag}"


def introduce(machine: Machine, running: Registry) -> None:
    """The machine finds the registry under its name, and its engine believes it."""
    line = f"{running.container.address} {HOST}"
    # Docker mounts this file, so that it can be written, but not replaced.
    machine.ssh(
        f"kept=$(grep -v ' {HOST}$' /etc/hosts); printf '%s\\n' \"$kept\" '{line}' | sudo tee /etc/hosts >/dev/null"
    )
    write_place(machine.name, running.container.address, running.root.decode())
    for path, content in running.trust().items():
        folder = path.rpartition("/")[0]
        machine.ssh(f"sudo install -d {folder} && sudo tee {path} >/dev/null", stdin=content.decode())
