"""PostgreSQL's part of the `containers` section."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import model_validator

from components.leaves import Text, decimal, whole
from components.section import Section
from components.values import (
    MEGABYTES,
    Cpus,
    DatabaseProfile,
    ImageRef,
    Kilobytes,
    Megabytes,
    SqlName,
)

KB_PER_MB = 1024
# By the socket alone: it has no password (onhost/postgres_logins.py).
SUPERUSER = "postgres"
Owner = Annotated[
    str,
    Text("a PostgreSQL name in lower case, such as neurmatic_prod", pattern=r"[a-z_][a-z0-9_]*", longest=60),
]
LARGE: Mapping[str, Any] = {
    "cpus": 8,
    "memory": "32GB",
    "max_connections": 400,
    "shared_buffers": "8GB",
    "effective_cache_size": "24GB",
    "work_mem": "16MB",
    "max_worker_processes": 8,
    "max_parallel_workers": 8,
}


class PostgresSettings(Section):
    """PostgreSQL. What a profile sets can still be set one by one."""

    profile: DatabaseProfile = DatabaseProfile.STANDARD
    """`standard` is what follows; `large` is for 8 CPU and 32 GB."""
    image: ImageRef = ImageRef("postgres", "15-alpine")
    """The image. Another major version needs an upgrade of the data, not only of the image."""
    cpus: Cpus = 4
    """CPU limit."""
    memory: Megabytes = 4096
    """Memory limit."""
    shm_size: Megabytes = 256
    """Shared memory of the container: parallel queries fail without."""
    database: SqlName
    """Database name."""
    user: Owner
    """Whose everything is. The application logs in as `<user>_a` or `<user>_b`, which take turns in a rotation."""
    max_connections: Annotated[int, whole(25, 5000)] = 200
    """Connections in all."""
    reserved_connections: Annotated[int, whole(3, 200)] = 20
    """Connections kept for backups, migrations and operators."""
    shared_buffers: Annotated[int, MEGABYTES.between("16MB", "1TB")] = 512
    """PostgreSQL's own cache."""
    effective_cache_size: Megabytes = 2048
    """What the planner believes is cached in all."""
    maintenance_work_mem: Megabytes = 128
    """Memory of one VACUUM or CREATE INDEX."""
    checkpoint_completion_target: Annotated[float, decimal(0, 1)] = 0.9
    """The share of the time between checkpoints over which one is spread."""
    wal_buffers: Megabytes = 16
    """Memory for write-ahead log that is not on disk yet."""
    work_mem: Kilobytes = 2621
    """Memory of one sort or hash of one query."""
    max_worker_processes: Annotated[int, whole(1, 256)] = 4
    """Background processes."""
    max_parallel_workers: Annotated[int, whole(0, 256)] = 4
    """Processes that help with queries."""
    log_min_duration: Annotated[int, whole(-1, 3_600_000)] = 1000
    """Statements that take longer (milliseconds) are logged; -1 for none."""

    @model_validator(mode="before")
    @classmethod
    def _apply_profile(cls, given: Any) -> Any:
        """The profile's figures are defaults: what the stack file says itself stays."""
        if isinstance(given, dict) and given.get("profile") in ("large", DatabaseProfile.LARGE):
            return {**LARGE, **given}
        return given
