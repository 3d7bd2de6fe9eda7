"""Tags become digests, asked of a real server over TLS that wants a login in either of the two ways."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops.deploy import registry
from ops.deploy.registry import Login, Registry
from ops.errors import OperatorError
from rehearsal.sinks.tls import Authority

HOST, REPOSITORY = "ghcr.io", "alexbaum-ai/neurm-backend"
BASIC = "Basic " + base64.b64encode(b"alexbaum-ai:right").decode()
CONFIG = json.dumps({"config": {"Labels": {"neurmatic.migration.irreversible": "true"}}}).encode()


@dataclass
class Shelf:
    """What the server holds, how it wants to be asked, and who asked."""

    tokens: bool = True
    answers: dict[str, bytes] = field(default_factory=dict)
    wrong_digest: bool = False
    seen: list[str] = field(default_factory=list)


def digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def manifest() -> bytes:
    return json.dumps({"config": {"digest": digest(CONFIG)}, "layers": []}).encode()


def handler(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "")
            shelf.seen.append(f"{self.path} {said.split(' ')[0]}".strip())
            if self.path.startswith("/token"):
                self._send(200 if said == BASIC else 401, json.dumps({"token": "granted"}).encode())
            elif said != ("Bearer granted" if shelf.tokens else BASIC):
                realm = f"https://{self.headers['Host']}:{self.server.server_address[1]}/token"  # type: ignore[index]
                kind = f'Bearer realm="{realm}",service="{HOST}"' if shelf.tokens else 'Basic realm="here"'
                self._send(401, b"{}", {"WWW-Authenticate": kind.replace(f"//{HOST}", "//127.0.0.1")})
            else:
                body = shelf.answers.get(self.path)
                told = "sha256:wrong" if shelf.wrong_digest else digest(body or b"")
                self._send(200 if body else 404, body or b"{}", {"Docker-Content-Digest": told})

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


Serve = Callable[..., tuple[Shelf, Registry]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    running: list[ThreadingHTTPServer] = []

    def start(given: str = "right", **wanted: Any) -> tuple[Shelf, Registry]:
        shelf, authority = Shelf(**wanted), Authority()
        pair = authority.issue([HOST, "127.0.0.1"])
        (tmp_path / "pem").write_bytes(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "pem")
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(shelf))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        address = f"127.0.0.1:{server.server_address[1]}"
        return shelf, Registry(HOST, Login("alexbaum-ai", given), address, authority.certificate.decode())

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def shelved(version: str = "1.4.3") -> dict[str, bytes]:
    base = f"/v2/{REPOSITORY}"
    return {f"{base}/manifests/{version}": manifest(), f"{base}/blobs/{digest(CONFIG)}": CONFIG}


@pytest.mark.parametrize("tokens", [True, False], ids=["token", "basic"])
def test_a_tag_is_resolved_with_either_login(serve: Serve, tokens: bool) -> None:
    shelf, there = serve(tokens=tokens, answers=shelved())
    found = there.find(REPOSITORY, "1.4.3")
    assert found.digest == digest(manifest())
    assert found.labels == {"neurmatic.migration.irreversible": "true"}
    asked = [line for line in shelf.seen if line.startswith("/token")]
    scope = f"/token?scope=repository%3Aalexbaum-ai%2Fneurm-backend%3Apull&service={HOST} Basic"
    assert asked == ([scope] if tokens else [])


def test_of_an_image_for_many_machines_the_index_is_pinned_and_the_servers_labels_are_read(serve: Serve) -> None:
    answers = shelved()
    other = {"digest": "sha256:arm", "platform": {"os": "linux", "architecture": "arm64"}}
    ours = {"digest": digest(manifest()), "platform": {"os": "linux", "architecture": "amd64"}}
    index = json.dumps({"manifests": [other, ours]}).encode()
    answers |= {
        f"/v2/{REPOSITORY}/manifests/2.0.0": index,
        f"/v2/{REPOSITORY}/manifests/{digest(manifest())}": manifest(),
    }
    _, there = serve(answers=answers)
    found = there.find(REPOSITORY, "2.0.0")
    assert (found.digest, found.labels) == (digest(index), {"neurmatic.migration.irreversible": "true"})


def test_a_missing_tag_a_wrong_login_and_a_false_digest_are_a_sentence_each(serve: Serve) -> None:
    with pytest.raises(OperatorError, match=r"^ghcr.io has no alexbaum-ai/neurm-backend:9.9.9: has its pipeline"):
        serve(answers=shelved())[1].find(REPOSITORY, "9.9.9")
    with pytest.raises(OperatorError, match="registry_token for alexbaum-ai: it answered 401"):
        serve("wrong", answers=shelved())[1].find(REPOSITORY, "1.4.3")
    with pytest.raises(OperatorError, match="says sha256:wrong of"):
        serve(answers=shelved(), wrong_digest=True)[1].find(REPOSITORY, "1.4.3")


def test_a_registry_that_is_away_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RETRIES", False)
    there = Registry(HOST, None, "127.0.0.1:1", Authority().certificate.decode())
    with pytest.raises(
        OperatorError, match=r"^The registry ghcr.io cannot be reached \(.*refused.*: nothing was changed"
    ):
        there.find(REPOSITORY, "1.4.3")


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("ghcr.io/alexbaum-ai/neurm-backend", ("ghcr.io", "alexbaum-ai/neurm-backend")),
        ("localhost:5000/a", ("localhost:5000", "a")),
        ("owner/name", (registry.DOCKER_HUB, "owner/name")),
        ("nginx", (registry.DOCKER_HUB, "library/nginx")),
    ],
)
def test_where_an_image_lives(image: str, place: tuple[str, str]) -> None:
    assert registry.place_of(image) == place
