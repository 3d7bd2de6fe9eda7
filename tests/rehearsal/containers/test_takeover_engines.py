"""What a take-over asks real engines: roles that change their names and come back, dumps, and Redis's log of writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_logins import OLD, call

from components.containers.onhost.takeover import cache, database, dump
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError
from rehearsal.docker import DockerError, docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway

pytestmark = pytest.mark.rehearsal

WORD, OWNER, DATABASE = "a-word-of-theirs", "neurmatic_prod", "neurmatic_production"
VARIABLES = {"POSTGRES_USER": "admin", "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": WORD}
READY = ("pg_isready", "--quiet", "--host", "127.0.0.1")


@pytest.fixture(scope="module")
def postgres(engine: str) -> Iterator[Container]:
    if engine:
        pytest.skip(engine)
    flags = [word for name, value in VARIABLES.items() for word in ("--env", f"{name}={value}")]
    with throwaway(ensure_image("postgres").tag, flags=flags) as container:
        container.wait_until(lambda: container.run(*READY) == "", "PostgreSQL answers")
        asked(container, "CREATE TABLE orders AS SELECT generate_series(1, 500) AS id; CREATE SCHEMA audit")
        yield container


def asked(container: Container, sql: str) -> str:
    """As the old application does: by TCP and password, from outside of what pg_hba.conf trusts."""
    address = f"postgresql://admin:{WORD}@{container.address}/{DATABASE}"
    return docker("exec", container.id, "psql", address, "-XAtqc", sql)


def inspected(container: Container) -> dict[str, Any]:
    return dict(json.loads(docker("inspect", container.id))[0])


def test_a_superuser_of_another_name_becomes_what_the_logins_expect_and_comes_back(postgres: Container) -> None:
    engine, which = Docker(), postgres.id
    told = database.look(engine, inspected(postgres), DATABASE)
    assert (told["major"], told["superuser"], told["owners"]) == (15, "admin", {"admin": 1})
    noted = database.roles(engine, which, "admin")
    called = database.renamed("admin", noted, OWNER)
    assert called == OWNER
    database.rename(engine, which, "admin", called)
    database.rename(engine, which, "admin", called)
    names = ["--owner", OWNER, "--database", DATABASE, "--login", f"{OWNER}_a", "--generation", "1"]
    done = call("postgres_logins.py", "accept", "--container", which, *names, told=OLD)
    assert done.returncode == 0, done.stderr
    done = call("postgres_logins.py", "close", "--container", which, "--owner", OWNER)
    assert done.returncode == 0, done.stderr
    with pytest.raises(DockerError):
        asked(postgres, "SELECT 1")

    journal = {"superuser": "admin", "called": called, "roles": noted}
    for _ in range(2):
        database.restore_roles(engine, which, journal)
        assert asked(postgres, "SELECT count(*) FROM orders") == "500"
        assert asked(postgres, "SHOW is_superuser") == "on"
    left = {each["name"] for each in database.roles(engine, which, "admin")}
    assert left == {"admin", OWNER, f"{OWNER}_a"}


def test_a_dump_is_read_to_its_last_line(postgres: Container, tmp_path: Path) -> None:
    kept = dump.back_up(Docker(), postgres.id, "admin", tmp_path, "now")
    assert (kept["tables"], kept["rows"]) == (1, 500)
    path = Path(kept["path"])
    assert path.stat().st_mode & 0o777 == 0o600
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-40] + b"x" * 40):
        path.write_bytes(broken)
        with pytest.raises(TakeoverError, match=r"cannot be read|not complete"):
            dump.read(path)
    with pytest.raises(TakeoverError, match="could not be dumped"):
        Docker().dump(postgres.id, "nobody", tmp_path / "x")


def test_a_cluster_says_itself_that_it_was_shut_down(postgres: Container, tmp_path: Path) -> None:
    def control() -> bool:
        docker("cp", f"{postgres.id}:/var/lib/postgresql/data/global", str(tmp_path))
        return database.is_shut_down(tmp_path)

    assert not control()
    assert postgres.stop() == 0
    assert control()


def test_redis_keeps_everything_in_the_log_that_ours_reads(engine: str) -> None:
    if engine:
        pytest.skip(engine)
    with throwaway(ensure_image("redis").tag, "redis-server", "--requirepass", WORD) as redis:
        redis.wait_until(lambda: "NOAUTH" in redis.run("redis-cli", "ping"), "Redis answers")
        told, ask = inspected(redis), Docker()
        ask.redis(redis.id, WORD, "SET", "session", 'with "quotes"')
        found = cache.look(ask, told)
        assert (found["major"], found["keys"], found["append_only"], found["other_names"]) == (7, 1, False, [])
        cache.log_every_write(ask, told)
        cache.log_every_write(ask, told)
        assert "appendonly.aof.manifest" in redis.run("ls", "/data/appendonlydir")
        with pytest.raises(TakeoverError, match="refuses the password"):
            ask.redis(redis.id, "another", "PING")
