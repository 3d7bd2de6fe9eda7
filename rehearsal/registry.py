"""An image registry for machines that reach none: Debian's docker-registry with TLS and a login."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal import RehearsalError
from rehearsal.docker import docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.sinks.tls import Authority

NAME = "registry.rehearsal.test"
USER = "rehearsal"
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.oci.image.index.v1+json"
)
PUSH_SECONDS = 300


@dataclass(frozen=True)
class Registry:
    """A running registry: `names` is what it is called on its network (port 443), `port` where loopback finds it."""

    container: Container
    names: tuple[str, ...]
    port: int
    user: str
    password: str
    root: bytes
    """The certificate that whoever talks to it has to trust."""

    def publish(self, image: str, repository: str, tag: str) -> str:
        """Push an image of this machine's engine; its digest, under which every machine will find it."""
        here = f"127.0.0.1:{self.port}/{repository}:{tag}"
        docker("tag", image, here)
        try:
            with self._login() as login:
                docker("--config", login, "push", "--quiet", here, timeout=PUSH_SECONDS)
        finally:
            docker("rmi", here)
        return self.digest(repository, tag)

    def digest(self, repository: str, tag: str) -> str:
        """What a tag stands for right now."""
        return self._head(f"/v2/{repository}/manifests/{tag}", f"{repository}:{tag}")

    def reference(self, repository: str, digest: str, name: str | None = None) -> str:
        return f"{name or self.names[0]}/{repository}@{digest}"

    def trust(self) -> Mapping[str, bytes]:
        """The files that make a Docker engine believe this registry, by their path on its machine."""
        return {f"/etc/docker/certs.d/{name}/ca.crt": self.root for name in self.names}

    def docker_config(self) -> bytes:
        """A config.json that logs in to it under each of its names."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        places = (*self.names, f"127.0.0.1:{self.port}")
        return json.dumps({"auths": {place: {"auth": token} for place in places}}).encode()

    @contextmanager
    def _login(self) -> Iterator[str]:
        """In a folder of its own: the person's own logins stay as they are."""
        with tempfile.TemporaryDirectory(prefix="rehearsal-login-") as folder:
            config = Path(folder) / "config.json"
            config.touch(mode=0o600)
            config.write_bytes(self.docker_config())
            yield folder

    def _head(self, path: str, what: str) -> str:
        address = f"https://127.0.0.1:{self.port}{path}"
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Accept": MANIFESTS}
        request = urllib.request.Request(address, method="HEAD", headers=headers)
        trusting = ssl.create_default_context(cadata=self.root.decode())
        try:
            with urllib.request.urlopen(request, timeout=10, context=trusting) as answer:  # noqa: S310 - as above
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            raise RehearsalError(f"The registry has no {what} (it answered {error.code}).") from None


@contextmanager
def registry(
    network: str | None = None,
    names: Sequence[str] = (NAME,),
    address: str | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[Registry]:
    """A registry while the block runs: on loopback, and on a Docker network under `names` (ghcr.io, if you like).

    `login` is who may use it, user and password; else somebody with a password of this run.
    """
    image = ensure_image("registry").tag
    authority, (user, password) = Authority("Rehearsal Registry"), login or (USER, secrets.token_urlsafe(24))
    everywhere = (*names, *([address] if address else []))
    pair = authority.issue([*everywhere, "localhost", "127.0.0.1"])
    files = {
        "/run/registry/server.crt": pair.certificate,
        "/run/registry/server.key": pair.key,
        "/run/registry/htpasswd": _htpasswd(image, user, password),
    }
    flags = [
        "--publish",
        "127.0.0.1::443",
        "--cap-drop",
        "ALL",
        "--memory",
        "512m",
        *_attach(network, names),
    ]
    flags += ["--ip", address] if address else []
    with throwaway(image, flags=flags, files=files) as container:
        started = Registry(container, everywhere, container.published(443), user, password, authority.certificate)
        container.wait_until(lambda: _answers(started), "the registry answers")
        yield started


def _attach(network: str | None, names: Sequence[str]) -> list[str]:
    if network is None:
        return []
    return ["--network", network, *(part for name in names for part in ("--network-alias", name))]


def _htpasswd(image: str, user: str, password: str) -> bytes:
    """Hashed by the image's own tool; the password goes by standard input, not by argument."""
    command = ("run", "--rm", "--interactive", "--network", "none", "--entrypoint", "htpasswd", image, "-niB", user)
    return docker(*command, stdin=f"{password}\n".encode()).strip().encode() + b"\n"


def _answers(found: Registry) -> bool:
    try:
        found.digest("none", "none")
    except RehearsalError as error:
        return "404" in str(error)
    return True
