"""What a service is, apart from how it is run: pure data, from which Docker arguments are made (`docker.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.containers.config import RedisSettings
from components.containers.postgres import PostgresSettings

POSTGRES_PORT, REDIS_PORT, BACKEND_PORT, FRONTEND_PORT = 5432, 6379, 3000, 80


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
    secret_environment: Mapping[str, str] = field(default_factory=dict)
    """Variable -> its value, in the same way; given out as the file /run/secrets/environment."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Further folders of the host that the container may read, and where it sees them."""
    writable: tuple[str, ...] = ()
    """Folders in memory, where the image insists on writing beside a read-only root."""
    shared_memory: int = 64
    stop_seconds: int = 30
    stop_signal: str = "SIGTERM"


def postgres(settings: PostgresSettings, data: str) -> Service:
    # 70 is the user postgres of the alpine image.
    return Service(
        name="postgres",
        kind="postgres",
        image=str(settings.image),
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
    return [
        f"max_connections={settings.max_connections}",
        f"shared_buffers={settings.shared_buffers}MB",
        f"effective_cache_size={settings.effective_cache_size}MB",
        f"maintenance_work_mem={settings.maintenance_work_mem}MB",
        f"checkpoint_completion_target={settings.checkpoint_completion_target:g}",
        f"wal_buffers={settings.wal_buffers}MB",
        f"work_mem={settings.work_mem}kB",
        f"max_worker_processes={settings.max_worker_processes}",
        f"max_parallel_workers={settings.max_parallel_workers}",
        f"log_min_duration_statement={settings.log_min_duration}",
    ]


def redis(settings: RedisSettings, data: str) -> Service:
    # 999:1000 is the user redis of the alpine image.
    return Service(
        name="redis",
        kind="redis",
        image=str(settings.image),
        cpus=settings.cpus,
        memory=settings.memory_limit,
        user="999:1000",
        ports=(REDIS_PORT,),
        health=("CMD-SHELL", "REDISCLI_AUTH=$(sed -n 's/^requirepass //p' /run/secrets/redis.conf) redis-cli ping"),
        command=("redis-server", "/run/secrets/redis.conf"),
        data=(f"{data}/redis", "/data"),
        # The password stands in the configuration and not in the command: everyone on the host can read that.
        secrets={"redis.conf": redis_configuration(settings)},
        writable=("/tmp",),  # noqa: S108
        stop_seconds=60,
    )


def redis_configuration(settings: RedisSettings) -> str:
    lines = [
        "dir /data",
        f"maxmemory {settings.maxmemory}mb",
        f"maxmemory-policy {settings.policy.value}",
        "save 900 1 300 10 60 10000",
        f"appendonly {'yes' if settings.append_only else 'no'}",
        "appendfsync everysec",
        "requirepass {redis}",
    ]
    return "\n".join([*lines, ""])
