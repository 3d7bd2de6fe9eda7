"""SIGTERM: what is under way is finished, kept connections are told to close, the exit code says how it went."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time

import pytest
from stub_process import Answer, Backend, ask, running

pytestmark = pytest.mark.slow


def in_background(server: Backend, path: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []

    def asking() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # then there is no answer to look at
            answers.append(server.ask("GET", path))

    thread = threading.Thread(target=asking, daemon=True)
    thread.start()
    time.sleep(0.4)  # under way
    return thread, answers


def test_a_request_under_way_is_finished_and_the_server_leaves_with_0() -> None:
    with running() as server:
        thread, answers = in_background(server, "/api/v1/slow?seconds=1.5")
        server.terminate()
        thread.join(10)
        assert answers[0].json["slept"] == 1.5
        assert answers[0].headers["Connection"] == "close"
        assert server.process.wait(timeout=5) == 0


def test_while_draining_no_new_connection_is_taken() -> None:
    with running() as server:
        thread, _ = in_background(server, "/api/v1/slow?seconds=1.5")
        server.terminate()
        time.sleep(0.4)
        with pytest.raises(ConnectionRefusedError):
            server.ask("GET", "/api/v1/items")
        thread.join(10)


def test_a_kept_connection_gets_its_next_answer_and_is_told_to_close() -> None:
    """The race that loses requests: the client sends just when the server decides to leave."""
    with running() as server:
        connection = server.connect()
        assert ask(connection, "GET", "/api/v1/items").status == 200
        server.terminate()
        time.sleep(0.4)
        answer = ask(connection, "GET", "/api/v1/items")
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        connection.close()
        assert server.process.wait(timeout=5) == 0


def test_idle_connections_do_not_keep_it_for_long() -> None:
    with running(DRAIN_IDLE_SECONDS="0.5") as server:
        connection = server.connect()
        ask(connection, "GET", "/api/v1/items")
        begin = time.monotonic()
        server.terminate()
        assert server.process.wait(timeout=5) == 0
        assert time.monotonic() - begin < 3
        connection.close()


def test_a_drain_that_does_not_end_is_reported() -> None:
    with running(DRAIN_SECONDS="0.5") as server:
        thread, answers = in_background(server, "/api/v1/slow?seconds=20")
        server.terminate()
        assert server.process.wait(timeout=5) == 1
        thread.join(5)
        assert answers == []


def test_a_server_that_ignores_sigterm_has_to_be_killed() -> None:
    with running(FAULT_IGNORE_SIGTERM="1") as server:
        server.terminate()
        time.sleep(0.7)
        assert server.ask("GET", "/api/v1/items").status == 200
