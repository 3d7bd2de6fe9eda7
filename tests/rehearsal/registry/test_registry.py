"""The registry: TLS by its own authority, a login, digests, and engines that trust it only when told to."""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal import RehearsalError
from rehearsal.docker import DockerError, docker
from rehearsal.images import ensure_image
from rehearsal.registry import Registry, registry

pytestmark = pytest.mark.rehearsal

SUBNET = f"10.212.{os.getpid() % 250}"  # test workers side by side
ADDRESS = f"{SUBNET}.5"


@pytest.fixture(scope="module")
def running() -> Iterator[Registry]:
    network = f"rehearsal-registry-{os.getpid()}"
    docker("network", "create", "--subnet", f"{SUBNET}.0/24", network)
    try:
        with registry(network, names=("registry.rehearsal.test", "ghcr.io"), address=ADDRESS) as found:
            yield found
    finally:
        docker("network", "rm", network)


@pytest.fixture(scope="module")
def pushed(running: Registry) -> str:
    return running.publish(ensure_image("base").tag, "library/redis", "7-alpine")


def status(running: Registry, path: str, login: str | None, trusting: ssl.SSLContext) -> int:
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    request = urllib.request.Request(f"https://127.0.0.1:{running.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10, context=trusting) as answer:  # noqa: S310 - https
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_its_certificate_is_its_authoritys_and_no_one_elses(running: Registry) -> None:
    trusting = ssl.create_default_context(cadata=running.root.decode())
    assert status(running, "/v2/", f"{running.user}:{running.password}", trusting) == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        status(running, "/v2/", f"{running.user}:{running.password}", ssl.create_default_context())


@pytest.mark.parametrize("login", [None, "rehearsal:wrong", "else:x"])
def test_without_the_login_nothing_is_told(running: Registry, login: str | None) -> None:
    trusting = ssl.create_default_context(cadata=running.root.decode())
    assert status(running, "/v2/_catalog", login, trusting) == 401


def test_a_tag_resolves_to_the_digest_of_what_was_pushed(running: Registry, pushed: str) -> None:
    assert pushed.startswith("sha256:")
    assert running.digest("library/redis", "7-alpine") == pushed
    other = running.publish(ensure_image("redis").tag, "library/redis", "8")
    assert other != pushed
    with pytest.raises(RehearsalError, match="no library/redis:9"):
        running.digest("library/redis", "9")


def test_pushing_leaves_no_tag_and_no_login_behind(running: Registry, pushed: str) -> None:
    tags = docker("image", "ls", "--format", "{{.Repository}}").splitlines()
    assert not [tag for tag in tags if tag.startswith(f"127.0.0.1:{running.port}/")], "by this registry's own port"
    config = Path.home() / ".docker" / "config.json"
    assert not config.exists() or f"127.0.0.1:{running.port}" not in config.read_text()


@pytest.fixture
def logged_in(running: Registry, tmp_path: Path) -> str:
    (tmp_path / "config.json").write_bytes(running.docker_config())
    return str(tmp_path)


def test_an_engine_refuses_it_until_it_trusts_the_root(running: Registry, pushed: str, logged_in: str) -> None:
    """By its address on the network: loopback is exempt from verification in every engine."""
    reference = running.reference("library/redis", pushed, ADDRESS)
    with pytest.raises(DockerError, match="certificate"):
        docker("--config", logged_in, "pull", reference)
    folder = Path("/etc/docker/certs.d") / ADDRESS
    if not os.access("/etc/docker", os.W_OK):
        pytest.fail("the engine of this machine can only be told what to trust by root")
    folder.mkdir(parents=True)
    try:
        (folder / "ca.crt").write_bytes(running.trust()[f"{folder}/ca.crt"])
        with pytest.raises(DockerError, match=r"unauthorized|no basic auth"):
            docker("--config", "/nonexistent", "pull", reference)
        assert docker("--config", logged_in, "pull", "--quiet", reference) == reference
        recorded = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", reference))
        assert reference in recorded
    finally:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
        docker("rmi", "--no-prune", reference)


def test_it_goes_under_every_name_on_its_network(running: Registry) -> None:
    assert set(running.trust()) >= {
        "/etc/docker/certs.d/ghcr.io/ca.crt",
        "/etc/docker/certs.d/registry.rehearsal.test/ca.crt",
    }
    network = next(
        iter(json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", running.container.id)))
    )
    flags = ("--network", network, "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro")
    nginx = ensure_image("nginx").tag
    command = 'curl -sk -o /dev/null -w "%{http_code}" https://ghcr.io/v2/'
    assert docker("run", "--rm", *flags, nginx, "sh", "-c", command) == "401"
