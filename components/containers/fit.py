"""Whether the containers fit: the database's connections, the host's memory and CPUs, with the sums shown.

A deploy runs the old and the new set of application containers at once, so every sum counts them twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from components.containers.config import ContainersSettings
from components.host.config import HostSettings
from components.mistakes import Mistake, Path
from components.values import MEGABYTES

_COUNT: Path = ("containers", "backend", "count")
_POOL: Path = ("containers", "backend", "pool")
_CONNECTIONS: Path = ("containers", "postgres", "max_connections")
_RESERVED: Path = ("containers", "postgres", "reserved_connections")


def connections_fit(containers: ContainersSettings) -> Iterable[Mistake]:
    backend, postgres = containers.backend, containers.postgres
    pool, reserved, most = containers.pool, postgres.reserved_connections, postgres.max_connections
    needed = 2 * backend.count * max(pool, 1) + reserved
    if needed <= most:
        return
    sums = f"2 x {backend.count} backends x {max(pool, 1)} + {reserved} reserved = {needed} connections"
    advice = f"at most {containers.largest_pool} fit" if containers.largest_pool else "not even 1 fits"
    path = _POOL if backend.pool is not None else _CONNECTIONS
    yield Mistake(
        path, f"{sums}, but max_connections is {most}; a pool of {advice}", about=(_COUNT, _CONNECTIONS, _RESERVED)
    )


def memory_fits(host: HostSettings, containers: ContainersSettings) -> Iterable[Mistake]:
    parts = memory_parts(containers)
    needed, there = sum(parts.values()), host.capacity.memory
    if needed <= there:
        return
    sums = " + ".join(f"{size(value)} {name}" for name, value in parts.items())
    yield Mistake(
        ("host", "capacity", "memory"),
        f"{sums} = {size(needed)}, but the host has {size(there)}: {size(needed - there)} too much",
        about=(("containers",),),
    )


def memory_parts(containers: ContainersSettings) -> dict[str, int]:
    backend, frontend = containers.backend, containers.frontend
    return {
        f"backends (2 x {backend.count} x {size(backend.memory)})": 2 * backend.count * backend.memory,
        "postgres": containers.postgres.memory,
        "redis": containers.redis.memory_limit,
        f"frontends (2 x {size(frontend.memory)})": 2 * frontend.memory,
        "nginx": containers.nginx.memory,
        "system": containers.system_memory,
    }


def cpus_fit(host: HostSettings, containers: ContainersSettings) -> Iterable[Mistake]:
    """Docker refuses a container that may use more CPUs than there are."""
    for name, cpus in _cpus(containers).items():
        if cpus > host.capacity.cpus:
            yield Mistake(
                ("containers", name, "cpus"),
                f"given {cpus:g}, but the host has {host.capacity.cpus:g}",
                about=(("host", "capacity", "cpus"),),
            )


def cpus_shared(host: HostSettings, containers: ContainersSettings) -> Iterable[str]:
    """Limits may add up to more than there is, but then a busy part slows the others down."""
    each = _cpus(containers)
    steady = sum(each.values()) + (containers.backend.count - 1) * containers.backend.cpus
    if steady > host.capacity.cpus:
        yield (
            f"The CPU limits add up to {steady:g} on a host with {host.capacity.cpus:g}: under full load the containers"
            " share what there is."
        )


def postgres_memory_fits(containers: ContainersSettings) -> Iterable[Mistake]:
    postgres = containers.postgres
    if postgres.shared_buffers * 2 > postgres.memory:
        yield Mistake(
            ("containers", "postgres", "shared_buffers"),
            f"given {size(postgres.shared_buffers)}; allowed is up to half of postgres.memory, {size(postgres.memory)}",
            about=(("containers", "postgres", "memory"),),
        )
    if postgres.max_parallel_workers > postgres.max_worker_processes:
        yield Mistake(
            ("containers", "postgres", "max_parallel_workers"),
            f"given {postgres.max_parallel_workers}; allowed is up to max_worker_processes,"
            f" {postgres.max_worker_processes}",
            about=(("containers", "postgres", "max_worker_processes"),),
        )


def redis_memory_fits(containers: ContainersSettings) -> Iterable[Mistake]:
    redis = containers.redis
    if redis.memory_limit <= redis.maxmemory:
        yield Mistake(
            ("containers", "redis", "memory"),
            f"given {size(redis.memory_limit)}; allowed is more than maxmemory, {size(redis.maxmemory)}: Redis needs"
            " room for buffers, or the kernel kills it",
            about=(("containers", "redis", "maxmemory"),),
        )


def subnets_are_private(containers: ContainersSettings) -> Iterable[Mistake]:
    for name, version, longest in (("subnet", 4, 26), ("subnet6", 6, 120)):
        given = ip_network(getattr(containers, name))
        if given.version != version or not given.is_private or given.prefixlen > longest:
            yield Mistake(
                ("containers", name),
                f"has to be a private IPv{version} network with room for all containers (/{longest})",
            )


def size(megabytes: int) -> str:
    return f"{megabytes / 1024:.4g}GB" if megabytes >= 1024 else MEGABYTES.write(megabytes)


def _cpus(containers: ContainersSettings) -> dict[str, float]:
    return {
        "postgres": containers.postgres.cpus,
        "redis": containers.redis.cpus,
        "backend": containers.backend.cpus,
        "frontend": containers.frontend.cpus,
        "nginx": containers.nginx.cpus,
    }
