"""What changes with a release, and the load balancer in front of it: pure data, as in `services.py`."""

from __future__ import annotations

from components.containers.config import ContainersSettings, Release
from components.containers.docker import ENVIRONMENT
from components.containers.environment import Surroundings, plain_variables, secret_variables
from components.containers.services import BACKEND_PORT, FRONTEND_PORT, Service

NGINX_USER = "101:101"
STACK_FOLDER = "/etc/stack"
# The firewall of the server decides who reaches these.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
# The variables become the process' own, and nothing else on the host or in the state sees them.
WITH_ENVIRONMENT = ("/bin/sh", "-euc", f'set -a; . /run/secrets/{ENVIRONMENT}; set +a; exec "$@"', "--")


def backend(settings: ContainersSettings, release: Release, number: int, around: Surroundings) -> Service:
    given = settings.backend
    return Service(
        name=f"backend-{number}",
        kind="backend",
        image=str(given.image.at(release.backend)),
        cpus=given.cpus,
        memory=given.memory,
        user="1000:1000",
        health=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{BACKEND_PORT}{settings.health_path}"),
        entrypoint=WITH_ENVIRONMENT,
        command=given.command,
        environment={**plain_variables(settings, around), "INSTANCE": f"backend-{number}"},
        secret_environment=secret_variables(settings, around),
        writable=("/tmp",),  # noqa: S108 (inside the container)
        stop_seconds=settings.rolling.drain,
        rolls=True,
    )


def frontend(settings: ContainersSettings, release: Release) -> Service:
    given = settings.frontend
    return Service(
        name="frontend",
        kind="frontend",
        image=str(given.image.at(release.frontend)),
        cpus=given.cpus,
        memory=given.memory,
        user=NGINX_USER,
        health=("CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{FRONTEND_PORT}/"),
        writable=("/var/cache/nginx", "/var/run"),
        stop_seconds=settings.rolling.drain,
        stop_signal="SIGQUIT",
        rolls=True,
    )


def load_balancer(settings: ContainersSettings, folder: str, *, ipv6: bool = False) -> Service:
    """Its configuration is a folder of the host that a reload reads: it is never replaced for a change of that."""
    given, release = settings.nginx, settings.release
    return Service(
        name="nginx",
        kind="nginx",
        image=str(given.image.at(release.nginx if release else None)),
        cpus=given.cpus,
        memory=given.memory,
        user=NGINX_USER,
        health=("CMD-SHELL", "kill -0 $(cat /var/run/nginx.pid)"),
        command=("nginx", "-c", f"{STACK_FOLDER}/current/nginx.conf", "-g", "daemon off;"),
        folders={folder: STACK_FOLDER},
        writable=("/var/cache/nginx", "/var/run"),
        ports=(80, 443),
        addresses=EVERYWHERE if ipv6 else EVERYWHERE[:1],
        stop_seconds=settings.rolling.drain,
        stop_signal="SIGQUIT",
    )
