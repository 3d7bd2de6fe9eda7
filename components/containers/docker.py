"""A service as arguments of a Docker container. Every default that the engine would fill in is written out, because
a preview would otherwise show a change for ever."""

from __future__ import annotations

from typing import Any

from components.containers.config import ContainersSettings
from components.containers.services import Service
from components.host.engine import slice_of

SECRETS_FOLDER = "/run/secrets"
ENVIRONMENT = "environment"


ROLLING_INTERVAL = 5
"""Seconds: a container that turns unhealthy during the soak has to be noticed before that ends."""


def container_arguments(service: Service, settings: ContainersSettings, secrets: str) -> dict[str, Any]:
    """Plain data; `secrets` is the service's folder of secret files on the host."""
    return {
        **_identity(service),
        **_confinement(service),
        **_limits(service, settings),
        **_storage(service, secrets),
        **_health(service, settings),
        "ports": [_published(port, address) for port in sorted(service.ports) for address in service.addresses],
    }


def secret_files(service: Service) -> list[str]:
    return sorted([*service.secrets, *service.kept, *([ENVIRONMENT] if service.secret_environment else [])])


def _published(port: int, address: str) -> dict[str, Any]:
    return {"internal": port, "external": port, "ip": address, "protocol": "tcp"}


def _identity(service: Service) -> dict[str, Any]:
    return {
        "user": service.user,
        **({"entrypoints": list(service.entrypoint)} if service.entrypoint else {}),
        **({"command": list(service.command)} if service.command else {}),
        "envs": sorted(f"{key}={value}" for key, value in service.environment.items()),
        "network_mode": "bridge",
        "restart": "unless-stopped",
        # The switch judges what rolls, with its log at hand: the provider would say nothing and take the log along.
        "must_run": not service.rolls,
    }


def _confinement(service: Service) -> dict[str, Any]:
    user, _, group = service.user.partition(":")
    return {
        "read_only": True,
        "privileged": False,
        "capabilities": {"drops": ["ALL"]},
        "security_opts": ["no-new-privileges:true"],
        # By owner: the engine gives such a folder the mode that the image has there, whatever mode is asked for.
        "tmpfs": dict.fromkeys(service.writable, f"rw,noexec,nosuid,uid={user},gid={group}"),
    }


def _limits(service: Service, settings: ContainersSettings) -> dict[str, Any]:
    return {
        # "1" would be read back as "1.0", and the container replaced by the next `up`.
        "cpus": str(float(service.cpus)),
        "memory": service.memory,
        # The same as memory: no swap. Unset, every preview shows a change.
        "memory_swap": service.memory,
        "shm_size": service.shared_memory,
        # The plugin has no limit of processes; the slice, which the host brings, has one.
        "cgroup_parent": slice_of(service.kind),
        "log_driver": "json-file",
        "log_opts": {"max-size": f"{settings.logs.max_size}m", "max-file": str(settings.logs.max_files)},
    }


def _storage(service: Service, secrets: str) -> dict[str, Any]:
    mounts = [
        {"type": "bind", "source": f"{secrets}/{file}", "target": f"{SECRETS_FOLDER}/{file}", "read_only": True}
        for file in secret_files(service)
    ]
    mounts += [
        {"type": "bind", "source": source, "target": target, "read_only": True}
        for source, target in sorted(service.folders.items())
    ]
    if service.data is not None:
        source, target = service.data
        mounts.append({"type": "bind", "source": source, "target": target, "read_only": False})
    return {"mounts": mounts}


def _health(service: Service, settings: ContainersSettings) -> dict[str, Any]:
    seconds = settings.rolling.health_interval
    interval = span(min(seconds, ROLLING_INTERVAL) if service.rolls else seconds)
    return {
        "healthcheck": {
            "tests": list(service.health),
            "interval": interval,
            "timeout": "5s",
            "retries": 3,
            "start_period": "30s",
        },
        "wait": not service.rolls,
        "wait_timeout": settings.rolling.healthy_within,
        # The provider's default is 0: SIGKILL, and PostgreSQL starts with a recovery.
        "destroy_grace_seconds": service.stop_seconds,
        "stop_timeout": service.stop_seconds,
        "stop_signal": service.stop_signal,
    }


def span(seconds: int) -> str:
    """As the engine writes it back: "60s" would come as "1m0s", and the container be replaced by the next `up`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
