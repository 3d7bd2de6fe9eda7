"""PostgreSQL's image: what the official one promises to those who run it."""

from __future__ import annotations

import gzip
import json
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.docker import DockerError, docker
from rehearsal.images import Image
from rehearsal.images.throwaway import Container, throwaway

pytestmark = pytest.mark.rehearsal

Find = Callable[[str], Image]
ENVIRONMENT = ("POSTGRES_USER=prod", "POSTGRES_DB=shop", "POSTGRES_PASSWORD=it's long")


def flags(*environment: str) -> list[str]:
    return [part for pair in environment for part in ("--env", pair)]


def wait_until_it_answers(container: Container) -> None:
    """Over TCP: the server that runs the init scripts listens on the socket only."""
    command = ("pg_isready", "--quiet", "--host", "127.0.0.1", "--username", "any")
    container.wait_until(lambda: container.run(*command) == "", "PostgreSQL answers")


def ask(container: Container, sql: str, *options: str) -> str:
    return container.run("psql", "-U", "prod", "-d", "shop", "-Atc", sql, *options)


@pytest.fixture(scope="module")
def server(image: Find, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    scripts = tmp_path_factory.mktemp("initdb")
    (scripts / "1.sql").write_text("CREATE TABLE steps (name text); INSERT INTO steps VALUES ('sql');")
    (scripts / "2.sql.gz").write_bytes(gzip.compress(b"INSERT INTO steps VALUES ('gz');"))
    (scripts / "3.sh").write_text(
        'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO steps VALUES (\'sourced\')"\n'
    )
    (scripts / "4.sh").write_text(f"#!/bin/sh\n{(scripts / '3.sh').read_text().replace('sourced', 'executed')}")
    (scripts / "4.sh").chmod(0o755)
    (scripts / "5.sql.xz").write_bytes(lzma.compress(b"INSERT INTO steps VALUES ('xz');"))
    (scripts / "6.txt").write_text("not a script")
    scripts.chmod(0o755)
    mount = ["--volume", f"{scripts}:/docker-entrypoint-initdb.d:ro"]
    extra = flags("POSTGRES_INITDB_ARGS=--data-checksums --lc-messages='C'")
    command = ("-c", "max_connections=37", "-c", "shared_buffers=64MB")
    with throwaway(image("postgres").tag, *command, flags=[*flags(*ENVIRONMENT), *mount, *extra]) as container:
        wait_until_it_answers(container)
        yield container


def test_scripts_of_every_kind_run_once_in_order(server: Container) -> None:
    assert ask(server, "SELECT string_agg(name, ' ') FROM steps") == "sql gz sourced executed xz"


def test_user_database_and_options_are_as_asked(server: Container) -> None:
    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = 'prod'") == "t"
    assert ask(server, "SHOW max_connections") == "37"
    assert ask(server, "SHOW server_version").startswith("15.")
    assert ask(server, "SHOW listen_addresses") == "*"
    assert ask(server, "SHOW data_checksums") == "on"
    assert ask(server, "SHOW lc_messages") == "C"
    collation = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'shop'"
    assert ask(server, collation) == "UTF8|en_US.utf8"


def test_it_runs_as_uid_70_in_its_data_directory(server: Container) -> None:
    assert server.run("stat", "-c", "%u:%g %a", "/var/lib/postgresql/data") == "70:70 700"
    assert server.run("stat", "-c", "%u", "/proc/1") == "70"
    assert ask(server, "SHOW data_directory") == "/var/lib/postgresql/data"


def test_other_hosts_need_the_password_and_loopback_does_not(image: Find, server: Container) -> None:
    address = f"host={server.address} user=prod dbname=shop"
    client = ("run", "--rm", "--entrypoint", "psql")
    select = ("-Atc", "SELECT 'in'")
    tag = image("postgres").tag
    assert docker(*client, "--env", "PGPASSWORD=it's long", tag, address, *select) == "in"
    with pytest.raises(DockerError, match="password authentication failed"):
        docker(*client, "--env", "PGPASSWORD=wrong", tag, address, *select)
    with pytest.raises(DockerError, match="no password supplied"):
        docker(*client, tag, address, "-w", *select)
    assert server.run("psql", "host=127.0.0.1 user=prod dbname=shop", "-w", *select) == "in"


def test_data_survives_a_new_container_and_init_does_not_run_again(image: Find, tmp_path: Path) -> None:
    tag = image("postgres").tag
    volume = docker("volume", "create")
    options = [*flags(*ENVIRONMENT), "--volume", f"{volume}:/var/lib/postgresql/data"]
    try:
        with throwaway(tag, flags=options) as first:
            wait_until_it_answers(first)
            ask(first, "CREATE TABLE kept (n int)")
            assert first.stop() == 0  # STOPSIGNAL SIGINT: a fast shutdown, not a wait for every client
        with throwaway(tag, flags=options) as second:
            wait_until_it_answers(second)
            assert ask(second, "SELECT count(*) FROM kept") == "0"
            assert "Skipping initialization" in second.logs()
            assert "automatic recovery in progress" not in second.logs()
    finally:
        docker("volume", "rm", volume)


def test_confined_as_70_with_a_password_from_a_file(image: Find, tmp_path: Path) -> None:
    """Nothing may be written but data and two folders in memory, and no capability is left to change owners with."""
    secret, data = tmp_path / "password", tmp_path / "data"
    secret.write_text("from a file\n")
    data.mkdir(mode=0o700)
    os.chown(data, 70, 70)
    tmp_path.chmod(0o755)
    memory = "rw,noexec,nosuid,mode=1777"
    options = [
        *flags("POSTGRES_PASSWORD_FILE=/run/secrets/password", "PGDATA=/var/lib/postgresql/data/pgdata"),
        *("--volume", f"{secret}:/run/secrets/password:ro", "--volume", f"{data}:/var/lib/postgresql/data"),
        *("--user", "70:70", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--tmpfs", f"/var/run/postgresql:{memory}", "--tmpfs", f"/tmp:{memory}"),  # noqa: S108 - inside the container
    ]
    with throwaway(image("postgres").tag, flags=options) as container:
        wait_until_it_answers(container)
        address = f"host={container.address} user=postgres password='from a file'"
        assert container.run("psql", address, "-Atc", "SELECT current_database()") == "postgres"
        assert (data / "pgdata" / "PG_VERSION").read_text() == "15\n"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ((), "superuser password is not specified"),
        (
            ("POSTGRES_PASSWORD=a", "POSTGRES_PASSWORD_FILE=/b"),
            "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set",
        ),
    ],
)
def test_it_refuses_to_start_without_a_sound_password(image: Find, environment: tuple[str, ...], sentence: str) -> None:
    with throwaway(image("postgres").tag, flags=flags(*environment)) as container:
        assert docker("wait", container.id) == "1"
        assert sentence in container.logs()


def test_any_user_may_run_it(image: Find) -> None:
    options = [*flags(*ENVIRONMENT), "--user", "12345:12345", "--tmpfs", "/var/lib/postgresql/data:uid=12345,mode=0700"]
    with throwaway(image("postgres").tag, flags=options) as container:
        wait_until_it_answers(container)
        assert container.run("stat", "-c", "%u", "/proc/1") == "12345"


def test_another_method_for_hosts_and_another_place_for_the_log(image: Find) -> None:
    settings = flags("POSTGRES_HOST_AUTH_METHOD=trust", "POSTGRES_INITDB_WALDIR=/wal/log", "POSTGRES_PASSWORD=")
    with throwaway(image("postgres").tag, flags=[*settings, "--tmpfs", "/wal"]) as container:
        wait_until_it_answers(container)
        address = f"host={container.address} user=postgres"
        assert container.run("psql", address, "-w", "-Atc", "SELECT 'in'") == "in"
        assert container.run("readlink", "/var/lib/postgresql/data/pg_wal") == "/wal/log"
        assert container.run("stat", "-c", "%u %a", "/wal/log") == "70 700"


def test_programs_are_found_and_other_commands_pass_through(image: Find) -> None:
    tag = image("postgres").tag
    run = ("run", "--rm", tag)
    assert docker(*run, "--version").startswith("postgres (PostgreSQL) 15.")
    for program in ("pg_dump", "pg_restore", "psql", "pg_basebackup"):
        assert " 15." in docker(*run, "sh", "-c", f"/usr/local/bin/{program} --version")
    assert docker(*run, "gosu", "postgres", "id", "-u") == "70"


def test_what_the_image_declares(image: Find) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image("postgres").tag))
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    assert config["StopSignal"] == "SIGINT"
    assert config["Entrypoint"] == ["docker-entrypoint.sh"]
    assert config["Cmd"] == ["postgres"]
    assert list(config["ExposedPorts"]) == ["5432/tcp"]
    assert list(config["Volumes"]) == ["/var/lib/postgresql/data"]
    assert environment["PGDATA"] == "/var/lib/postgresql/data"
    assert environment["PG_MAJOR"] == "15"
    assert environment["LANG"] == "en_US.utf8"
