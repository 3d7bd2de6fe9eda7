"""Who is still connected, by the kernel's own tables."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from components.containers.onhost import workers

ME = os.getpid()


@pytest.mark.parametrize("address", ["127.0.0.3", "::1"])
def test_a_connection_is_seen_until_it_is_closed(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]):
            assert address in workers.connected(ME)
        server.accept()[0].close()
    assert "127.0.0.3" not in workers.connected(ME)


def test_a_mapped_address_is_the_one_that_docker_writes() -> None:
    with socket.create_server(("127.0.0.4", 0)) as server, socket.socket(socket.AF_INET6) as caller:
        caller.connect(("::ffff:127.0.0.4", server.getsockname()[1]))
        assert "127.0.0.4" in workers.connected(ME)


def test_nobody_is_connected_where_nginx_does_not_run() -> None:
    assert workers.connected(0) == frozenset()


def test_what_somebody_talks_to_stays_until_he_has_done() -> None:
    with socket.create_server(("127.0.0.5", 0)) as server:
        caller = socket.create_connection(server.getsockname())
        threading.Timer(0.5, caller.close).start()
        began = time.monotonic()
        workers.drain(ME, set(), 20, frozenset({"127.0.0.5"}))
        assert 0.4 < time.monotonic() - began < 15


def test_whoever_does_not_end_is_waited_for_no_longer_than_he_was_promised() -> None:
    with socket.create_server(("127.0.0.6", 0)) as server, socket.create_connection(server.getsockname()):
        began = time.monotonic()
        workers.drain(ME, set(), 1, frozenset({"127.0.0.6"}))
        assert time.monotonic() - began < 15
