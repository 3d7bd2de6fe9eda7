"""What a service is, apart from how it is run: pure data, from which Docker arguments are made (`docker.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.containers.config import RedisSettings
from components.containers.postgres import PostgresSettings

POSTGRES_PORT, REDIS_PORT, BACKEND_PORT, FRONTEND_PORT = 5432, 6379, 3000, 80
EMPTY = '""'


@dataclass(frozen=True)
class Service:
    """One container, whatever runs it."""

    name: str
    kind: str
    """What it is one of: replicas share it, and with it the limit of processes."""
    image: str
    cpus: float
    memory: int
    user: str
    health: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    addresses: tuple[str, ...] = ("127.0.0.1",)
    """Where ports are published: for all but the load balancer on loopback of the host alone."""
    rolls: bool = False
    """A new one runs beside the old one before it takes over."""
    environment: Mapping[str, str] = field(default_factory=dict)
    data: tuple[str, str] | None = None
    """Folder on the host, and where the container sees it."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """File below /run/secrets -> its text, in which {name} stands for that credential."""
    kept: tuple[str, ...] = ()
    """Files there that a script of the server writes."""
    secret_environment: Mapping[str, str] = field(default_factory=dict)
    """Variable -> its value, in the same way; given out as the file /run/secrets/environment."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Further folders of the host that the container may read, and where it sees them."""
    writable: tuple[str, ...] = ()
    """Folders in memory, where the image insists on writing beside a read-only root."""
    shared_memory: int = 64
    stop_seconds: int = 30
    stop_signal: str = "SIGTERM"


def postgres(settings: PostgresSettings, data: str, digest: str | None = None) -> Service:
    # 70 is the user postgres of the alpine image.
    return Service(
        name="postgres",
        kind="postgres",
        image=str(settings.image.at(digest)),
        cpus=settings.cpus,
        memory=settings.memory,
        user="70:70",
        ports=(POSTGRES_PORT,),
        health=("CMD", "pg_isready", "-q", "-U", settings.user, "-d", settings.database),
        command=("postgres", *(word for pair in postgres_options(settings) for word in ("-c", pair))),
        environment={
            "POSTGRES_USER": settings.user,
            "POSTGRES_DB": settings.database,
            "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
            "PGDATA": "/var/lib/postgresql/data/pgdata",
        },
        data=(f"{data}/postgres", "/var/lib/postgresql/data"),
        secrets={"postgres_password": "{postgres}"},
        writable=("/var/run/postgresql", "/tmp"),  # noqa: S108 (inside the container)
        shared_memory=settings.shm_size,
        # Sessions are ended and a checkpoint is written; killed before that, it starts with a recovery.
        stop_signal="SIGINT",
        stop_seconds=120,
    )


def postgres_options(settings: PostgresSettings) -> list[str]:
    """What PostgreSQL reads at its start alone."""
    return [
        f"max_connections={settings.max_connections}",
        f"shared_buffers={settings.shared_buffers}MB",
        f"wal_buffers={settings.wal_buffers}MB",
        f"max_worker_processes={settings.max_worker_processes}",
    ]


def postgres_reloaded(settings: PostgresSettings) -> dict[str, str]:
    """What it takes over while it runs (`tuning.py`): on the command line it would need a restart as well."""
    return {
        "effective_cache_size": f"{settings.effective_cache_size}MB",
        "maintenance_work_mem": f"{settings.maintenance_work_mem}MB",
        "checkpoint_completion_target": f"{settings.checkpoint_completion_target:g}",
        "work_mem": f"{settings.work_mem}kB",
        "max_parallel_workers": str(settings.max_parallel_workers),
        "log_min_duration_statement": str(settings.log_min_duration),
    }


def redis(settings: RedisSettings, data: str, digest: str | None = None) -> Service:
    # 999:1000 is the user redis of the alpine image.
    return Service(
        name="redis",
        kind="redis",
        image=str(settings.image.at(digest)),
        cpus=settings.cpus,
        memory=settings.memory_limit,
        user="999:1000",
        ports=(REDIS_PORT,),
        # A user that may say PING and nothing else (onhost/redis_logins.py), so that no password is needed for it.
        health=("CMD-SHELL", "redis-cli --no-auth-warning --user health --pass none ping | grep -q PONG"),
        command=("redis-server", "/run/secrets/redis.conf"),
        data=(f"{data}/redis", "/data"),
        secrets={"redis.conf": redis_configuration(settings)},
        kept=("users.acl",),
        writable=("/tmp",),  # noqa: S108
        stop_seconds=60,
    )


def redis_reloaded(settings: RedisSettings) -> dict[str, str]:
    """What Redis takes over while it runs; its file says the same to the next one."""
    return {
        "maxmemory": f"{settings.maxmemory}mb",
        "maxmemory-policy": settings.policy.value,
        "save": " ".join(settings.snapshots),
        "appendonly": "yes" if settings.append_only else "no",
    }


def redis_configuration(settings: RedisSettings) -> str:
    lines = [
        "dir /data",
        *(f"{name} {value or EMPTY}" for name, value in redis_reloaded(settings).items()),
        "appendfsync everysec",
        "aclfile /run/secrets/users.acl",
    ]
    return "\n".join([*lines, ""])
