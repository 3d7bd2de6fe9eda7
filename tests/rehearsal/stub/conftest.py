"""A database, a Redis and a network of their own for the tests of the backend's image."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.images import backend, ensure_image
from rehearsal.images.throwaway import network as own_network
from rehearsal.images.throwaway import throwaway

sys.path.insert(0, str(Path(__file__).parent))  # the tests' own helper, `stub_stage`

from stub_stage import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """max_connections 20: 17 are left for those who are not superusers."""
    tag = ensure_image(backend("1.4.2")).tag
    postgres, redis = ensure_image("postgres").tag, ensure_image("redis").tag
    settings = ["POSTGRES_USER=owner", "POSTGRES_DB=shop", "POSTGRES_PASSWORD=word"]
    environment = [part for setting in settings for part in ("--env", setting)]
    data = ["--network-alias", "postgres", "--tmpfs", "/var/lib/postgresql/data"]
    with (
        own_network() as network,
        throwaway(postgres, "-c", "max_connections=20", flags=["--network", network, *data, *environment]) as database,
        throwaway(redis, "--requirepass", "word", flags=["--network", network, "--network-alias", "redis"]),
    ):
        ready = ("pg_isready", "--quiet", "--host", "127.0.0.1")
        database.wait_until(lambda: database.run(*ready) == "", "PostgreSQL answers")
        database.run("psql", "-U", "owner", "-d", "shop", "-c", "CREATE ROLE prod LOGIN CREATEDB PASSWORD 'word'")
        database.run("psql", "-U", "owner", "-d", "shop", "-c", "ALTER DATABASE shop OWNER TO prod")
        yield Stage(network, database, tag)
