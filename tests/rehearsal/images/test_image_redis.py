"""Redis' image: what the official one promises to those who run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.docker import DockerError, docker
from rehearsal.images import Image
from rehearsal.images.throwaway import Container, throwaway

pytestmark = pytest.mark.rehearsal

Find = Callable[[str], Image]


def wait_until_it_answers(container: Container, *options: str) -> None:
    container.wait_until(lambda: container.run("redis-cli", *options, "ping") == "PONG", "Redis answers")


def test_it_runs_as_the_user_redis_in_its_volume(image: Find) -> None:
    with throwaway(image("redis").tag) as container:
        wait_until_it_answers(container)
        assert container.run("stat", "-c", "%u:%g", "/proc/1") == "999:1000"
        assert container.run("stat", "-c", "%u:%g", "/data") == "999:1000"
        assert container.run("redis-cli", "config", "get", "dir").split() == ["dir", "/data"]
        assert container.run("redis-cli", "info", "server").splitlines()[1].strip().startswith("redis_version:7.")
        assert container.stop() == 0


def test_options_alone_are_options_of_the_server(image: Find) -> None:
    command = (
        "--requirepass",
        "long word",
        "--maxmemory",
        "16mb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--appendonly",
        "yes",
    )
    with throwaway(image("redis").tag, *command) as container:
        wait_until_it_answers(container, "--no-auth-warning", "-a", "long word")
        asked = container.run("redis-cli", "--no-auth-warning", "-a", "long word", "config", "get", "maxmemory*")
        assert "16777216" in asked
        assert "allkeys-lru" in asked
        assert container.run("redis-cli", "ping").startswith("NOAUTH")
        assert container.run("stat", "-c", "%a", "/data/appendonlydir") == "700"


def test_a_configuration_file_and_data_that_survive(image: Find, tmp_path: Path) -> None:
    configuration = tmp_path / "redis.conf"
    configuration.write_text("save 900 1\nappendonly yes\nappendfsync everysec\n")
    configuration.chmod(0o644)
    tmp_path.chmod(0o755)
    volume = docker("volume", "create")
    options = ["--volume", f"{volume}:/data", "--volume", f"{configuration}:/etc/redis.conf:ro", "--read-only"]
    try:
        for expected in ("", "kept"):
            with throwaway(image("redis").tag, "redis-server", "/etc/redis.conf", flags=options) as container:
                wait_until_it_answers(container)
                assert container.run("redis-cli", "get", "word") == expected
                container.run("redis-cli", "set", "word", "kept")
                assert container.stop() == 0
    finally:
        docker("volume", "rm", volume)


@pytest.mark.parametrize(
    ("command", "refused"), [((), False), (("--protected-mode", "yes"), True)], ids=["by default", "when asked"]
)
def test_other_hosts_may_connect_unless_protected_mode_is_asked_for(
    image: Find, command: tuple[str, ...], refused: bool
) -> None:
    tag = image("redis").tag
    with throwaway(tag, *command) as container:
        wait_until_it_answers(container)
        try:
            answer = docker("run", "--rm", "--entrypoint", "redis-cli", tag, "-h", container.address, "ping")
        except DockerError as error:
            answer = str(error)
        assert ("DENIED" in answer) is refused
        assert (answer == "PONG") is not refused


def test_other_commands_and_users_pass_through(image: Find) -> None:
    tag = image("redis").tag
    assert docker("run", "--rm", tag, "redis-cli", "--version").startswith("redis-cli 7.")
    assert docker("run", "--rm", tag, "id", "-u") == "0"
    assert docker("run", "--rm", tag, "redis-server", "--version").startswith("Redis server v=7.")
    options = ["--user", "999:1000", "--cap-drop", "ALL", "--read-only"]
    with throwaway(tag, flags=options) as container:
        wait_until_it_answers(container)


def test_what_the_image_declares(image: Find) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image("redis").tag))
    assert config["Entrypoint"] == ["docker-entrypoint.sh"]
    assert config["Cmd"] == ["redis-server"]
    assert config["WorkingDir"] == "/data"
    assert list(config["ExposedPorts"]) == ["6379/tcp"]
    assert list(config["Volumes"]) == ["/data"]
