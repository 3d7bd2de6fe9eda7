"""Logins of PostgreSQL and Redis change while both run, and whoever is cut off can go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.docker import DockerError, docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway

pytestmark = pytest.mark.rehearsal

SCRIPTS = Path(__file__).resolve().parents[3] / "components" / "containers" / "onhost"
OLD, NEW, NEXT = ("old" * 30, "new" * 30, "next" * 30)
DATABASE = {"POSTGRES_USER": "prod", "POSTGRES_DB": "shop", "POSTGRES_PASSWORD": OLD}
MADE_BEFORE = """
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN short AS varchar(9); CREATE TYPE pair AS (a int, b int);
CREATE TABLE orders (id serial PRIMARY KEY, mood mood, code short); CREATE SEQUENCE loose;
CREATE VIEW seen AS SELECT * FROM orders; CREATE MATERIALIZED VIEW kept AS SELECT * FROM orders;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SCHEMA audit; CREATE TABLE audit.log (id int);
CREATE EXTENSION citext; INSERT INTO orders (mood) VALUES ('good');
"""


def call(script: str, *arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(SCRIPTS / script), *arguments]
    return subprocess.run(command, input=told, capture_output=True, text=True, check=False)


def logins(container: Container, action: str, place: str = "a", generation: int = 1, told: str = "") -> None:
    names = ["--owner", "prod", "--database", "shop", "--login", f"prod_{place}", "--generation", str(generation)]
    done = call("postgres_logins.py", action, "--container", container.id, *names, told=told)
    assert done.returncode == 0, done.stderr


def asked(container: Container, user: str, password: str, sql: str) -> str:
    """By TCP and password, as the application does."""
    address = f"postgresql://{user}:{password}@{container.address}/shop"
    return docker("exec", container.id, "psql", address, "-XAtqc", sql)


def refused(container: Container, user: str, password: str) -> bool:
    try:
        asked(container, user, password, "SELECT 1")
    except DockerError:
        return True
    return False


@pytest.fixture
def database(engine: str) -> Iterator[Container]:
    if engine:
        pytest.skip(engine)
    flags = [word for name, value in DATABASE.items() for word in ("--env", f"{name}={value}")]
    with throwaway(ensure_image("postgres").tag, flags=flags) as container:
        yield container


def test_a_database_made_before_there_were_logins_gets_them(database: Container) -> None:
    ready = ("pg_isready", "--quiet", "--host", "127.0.0.1")
    database.wait_until(lambda: database.run(*ready) == "", "PostgreSQL answers")
    asked(database, "prod", OLD, MADE_BEFORE)
    logins(database, "accept", "a", 1, OLD)
    # What runs goes on under the old name until everything has moved.
    assert asked(database, "prod", OLD, "SELECT count(*) FROM orders") == "1"
    assert asked(database, "prod_a", OLD, "SELECT current_user, session_user") == "prod|prod_a"
    asked(database, "prod_a", OLD, "ALTER TABLE audit.log ADD COLUMN more text; ALTER TYPE mood ADD VALUE 'fine'")
    asked(database, "prod_a", OLD, "DROP VIEW seen; DROP MATERIALIZED VIEW kept; DROP SEQUENCE loose; DROP TYPE pair")
    asked(database, "prod_a", OLD, "DROP FUNCTION one(); ALTER TABLE orders DROP COLUMN code; DROP DOMAIN short")
    strangers = (
        "SELECT count(*) FROM pg_class WHERE relowner = 10 AND relnamespace::regnamespace::text !~ '^(pg_|info)'"
    )
    assert asked(database, "prod_a", OLD, strangers) == "0"
    logins(database, "close")
    assert refused(database, "prod", OLD)
    assert refused(database, "postgres", OLD)
    # The owner is no superuser, and comes in by the socket alone: for dumps and restores.
    assert database.run("psql", "-U", "prod", "-d", "shop", "-Atc", "SHOW is_superuser") == "off"
    database.run("psql", "-U", "prod", "-d", "shop", "-c", "CREATE DATABASE other")


def test_two_logins_take_turns(database: Container) -> None:
    logins(database, "accept", "a", 1, OLD)
    logins(database, "accept", "b", 2, NEW)
    with pytest.raises(AssertionError, match="prod_a is in use by generation 1"):
        logins(database, "accept", "a", 3, NEXT)
    assert asked(database, "prod_a", OLD, "CREATE TABLE t (i int); SELECT 1") == "1"
    assert asked(database, "prod_b", NEW, "DROP TABLE t; SELECT 1") == "1"
    logins(database, "withdraw", "a", 1)
    assert refused(database, "prod_a", OLD)
    assert asked(database, "prod_b", NEW, "SELECT 1") == "1"
    # A late withdrawal of the first generation does not reach the third, which has its place.
    logins(database, "accept", "a", 3, NEXT)
    logins(database, "withdraw", "a", 1)
    assert asked(database, "prod_a", NEXT, "SELECT 1") == "1"
    assert NEXT not in database.logs()


@pytest.mark.parametrize("cut", ["CREATE ROLE infra_setup SUPERUSER LOGIN", "BEGIN"])
def test_a_run_that_was_cut_off_is_completed(database: Container, cut: str) -> None:
    ready = ("pg_isready", "--quiet", "--host", "127.0.0.1")
    database.wait_until(lambda: database.run(*ready) == "", "PostgreSQL answers")
    database.run("psql", "-U", "prod", "-d", "shop", "-c", cut)
    logins(database, "accept", "a", 1, OLD)
    logins(database, "accept", "a", 1, OLD)
    assert asked(database, "prod_a", OLD, "SELECT 1") == "1"
    helpers = "SELECT count(*) FROM pg_roles WHERE rolname = 'infra_setup'"
    assert database.run("psql", "-U", "postgres", "-Atc", helpers) == "0"


def test_a_password_that_is_too_short_changes_nothing(database: Container) -> None:
    done = call("postgres_logins.py", "accept", "--container", database.id, "--owner", "prod", told="short")
    assert done.returncode == 1
    assert done.stderr.startswith("A password of 64 characters")


class Store:
    """Redis on the files that the script writes, as the program mounts them."""

    def __init__(self, image: str, folder: Path) -> None:
        self.image, self.folder = image, folder
        self.name = f"logins-{os.getpid()}"

    def __call__(self, action: str, place: str, generation: int, told: str = "") -> None:
        where = ["--container", self.name, "--folder", str(self.folder), "--user", "999"]
        which = ["--place", place, "--generation", str(generation)]
        done = call("redis_logins.py", action, *where, *which, told=told)
        assert done.returncode == 0, done.stderr

    def ping(self, container: Container, *login: str) -> str:
        return container.run("redis-cli", "--no-auth-warning", *login, "ping")


def test_two_passwords_are_valid_while_one_replaces_the_other(engine: str, tmp_path: Path) -> None:
    if engine:
        pytest.skip(engine)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    redis = Store(ensure_image("redis").tag, tmp_path)
    redis("accept", "a", 1, OLD)
    mount = f"{tmp_path}/users.acl:/run/secrets/users.acl:ro"
    words = ["redis-server", "--aclfile", "/run/secrets/users.acl"]
    with throwaway(redis.image, *words, flags=["--name", redis.name, "--user", "999:1000", "--volume", mount]) as it:
        it.wait_until(lambda: redis.ping(it, "--pass", OLD) == "PONG", "Redis answers")
        redis("accept", "b", 2, NEW)
        with pytest.raises(AssertionError, match="in use by generation 1"):
            redis("accept", "a", 3, NEXT)
        assert [redis.ping(it, "--pass", each) for each in (OLD, NEW)] == ["PONG", "PONG"]
        redis("withdraw", "a", 1)
        assert "NOAUTH" in redis.ping(it, "--pass", OLD)
        assert redis.ping(it, "--pass", NEW) == "PONG"
        docker("restart", it.id)
        it.wait_until(lambda: redis.ping(it, "--pass", NEW) == "PONG", "Redis answers")
        assert "NOAUTH" in redis.ping(it, "--pass", OLD)
        assert redis.ping(it, "--user", "health", "--pass", "any") == "PONG"
        assert "NOPERM" in it.run("redis-cli", "--no-auth-warning", "--user", "health", "--pass", "any", "get", "x")
    files = {path.name: path for path in tmp_path.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o400}
    assert not [name for name, path in files.items() if NEW in path.read_text()]
