"""Whether a registry answers: found out quickly, also where the network swallows everything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rehearsal import RehearsalError
from rehearsal.images.upstream import VARIABLE, Source, answers, source_from_environment


@contextmanager
def serving(status: int, headers: dict[str, str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 401])
def test_a_registry_greets_also_a_stranger(status: int) -> None:
    with serving(status, {"Docker-Distribution-Api-Version": "registry/2.0"}) as url:
        assert answers(url)


def test_the_login_page_of_a_hotel_is_no_registry() -> None:
    with serving(200, {"Content-Type": "text/html"}) as url:
        assert not answers(url)


def test_a_closed_port_is_no_registry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert not answers(f"http://127.0.0.1:{port}/v2/")


def test_silence_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}/v2/", seconds=0.5)
        assert time.monotonic() - begin < 1.5


def test_a_name_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver's own patience can be a minute, and no timeout of a connection shortens it."""

    def hang(*_: object, **__: object) -> None:
        time.sleep(5)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begin = time.monotonic()
    assert not answers("http://registry.rehearsal.test/v2/", seconds=0.5)
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize(
    ("word", "source"), [("auto", Source.AUTO), ("built", Source.BUILT), ("official", Source.OFFICIAL)]
)
def test_the_environment_may_decide(monkeypatch: pytest.MonkeyPatch, word: str, source: Source) -> None:
    monkeypatch.setenv(VARIABLE, word)
    assert source_from_environment() is source


def test_another_word_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "oficial")
    with pytest.raises(RehearsalError, match=r"REHEARSAL_IMAGES=oficial: say one of auto, official, built\."):
        source_from_environment()
