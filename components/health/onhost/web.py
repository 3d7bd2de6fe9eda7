"""What answers HTTP: each backend by itself, and all of it through nginx as a visitor's edge would ask."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.health.onhost.containers import Container, served
from components.health.onhost.finding import Finding, broken, fine, unknown, warning

SECONDS = 3.0
LONGEST = 65536


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    seconds: float

    @property
    def data(self) -> Mapping[str, Any]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class SilentError(Exception):
    """Why there is no answer."""


class Through(http.client.HTTPSConnection):
    """TLS to an address under the name of a site."""

    def __init__(self, address: str, port: int, name: str, context: ssl.SSLContext) -> None:
        super().__init__(name, port, timeout=SECONDS, context=context)
        self._at, self._trusting = (address, port), context

    def connect(self) -> None:
        plain = socket.create_connection(self._at, SECONDS)
        self.sock = self._trusting.wrap_socket(plain, server_hostname=self.host)


def get(connection: http.client.HTTPConnection, path: str) -> Answer:
    began = time.monotonic()
    try:
        connection.request("GET", path, headers={"User-Agent": "neurmatic-health"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(LONGEST), time.monotonic() - began)
    except TimeoutError:
        raise SilentError(f"does not answer within {SECONDS:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SilentError(f"does not answer: {words}") from None
    finally:
        connection.close()


def unverified(client: str) -> ssl.SSLContext:
    """To loopback: who else would be there. The certificate is looked at for itself (`certificate`)."""
    context = ssl._create_unverified_context()  # noqa: S323
    if client and Path(client).exists():
        context.load_cert_chain(client)
    return context


def through_nginx(name: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """As the edge asks: api or frontend."""
    host, path = settings["pages"][name]
    if not served(settings):
        yield unknown(name, "no release has been deployed yet")
        return
    try:
        answer = get(Through("127.0.0.1", settings["port"], host, unverified(settings["client"])), path)
    except SilentError as error:
        yield broken(name, f"https://{host}{path} through nginx {error}")
        return
    text = f"https://{host}{path} through nginx answered {answer.status}"
    if answer.status == 200:
        yield fine(name, f"{text} in {answer.seconds * 1000:.0f} ms", round(answer.seconds, 3))
    else:
        yield broken(name, text)


def versions_agree(versions: Mapping[str, str]) -> Iterator[Finding]:
    if len(set(versions.values())) > 1:
        each = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        yield warning("version", f"the backends are of different versions: {each}")
    elif versions:
        yield fine("version", f"{next(iter(versions.values()))} on every backend")


def backend(name: str, one: Container, settings: Mapping[str, Any], versions: dict[str, str]) -> Iterator[Finding]:
    yield judged(name, one, settings, versions)


def judged(name: str, one: Container, settings: Mapping[str, Any], versions: dict[str, str]) -> Finding:
    """Whether it is ready for requests, and what it says of itself."""
    if not one.address:
        return broken(name, "has no address on the stack's network")
    try:
        ready = get(http.client.HTTPConnection(one.address, 3000, timeout=SECONDS), settings["health_path"])
        itself = get(http.client.HTTPConnection(one.address, 3000, timeout=SECONDS), "/api/v1/health")
    except SilentError as error:
        return broken(name, str(error))
    version = str(itself.data.get("version", ""))
    if version:
        versions[name] = version
    if ready.status != 200:
        return broken(name, f"{settings['health_path']} answered {ready.status}: it gets no requests")
    parts = [f"{part} {each.get('status')}" for part, each in services(itself) if each.get("status") != "healthy"]
    said = itself.data.get("status", "")
    if itself.status != 200 or said == "unhealthy":
        return broken(name, f"calls itself {said or itself.status}{': ' if parts else ''}{', '.join(parts)}")
    if said == "degraded":
        return warning(name, f"calls itself degraded: {', '.join(parts)}")
    return fine(name, f"ready{f', version {version}' if version else ''}")


def services(answer: Answer) -> list[tuple[str, Mapping[str, Any]]]:
    found = answer.data.get("services")
    return [(name, each) for name, each in found.items() if isinstance(each, dict)] if isinstance(found, dict) else []
