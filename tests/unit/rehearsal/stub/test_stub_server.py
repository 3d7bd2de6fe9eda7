"""The server over HTTP: what it answers, what it says when something is missing, and its faults."""

from __future__ import annotations

import time

import pytest
from stub_process import NOWHERE, Backend, ask, running, start

pytestmark = pytest.mark.slow


def test_every_answer_names_version_and_instance(server: Backend) -> None:
    for path in ("/api/v1/items", "/api/v1/health", "/no/such/path"):
        headers = server.ask("GET", path).headers
        assert headers["X-Version"] == "1.4.2", path
        assert headers["X-Instance"], path


def test_without_a_database_it_lives_but_is_not_healthy(server: Backend) -> None:
    health = server.ask("GET", "/api/v1/health")
    assert health.status == 503
    assert health.json["status"] == "unhealthy"
    assert set(health.json["services"]) == {"database", "redis", "queues", "memory"}
    assert health.json["services"]["database"]["status"] == "unhealthy"
    assert health.json["services"]["redis"]["status"] == "unhealthy"
    assert health.json["services"]["memory"]["status"] == "healthy"
    assert server.ask("GET", "/api/v1/health/live").status == 200
    assert server.ask("GET", "/api/v1/health/ready").status == 503


def test_without_a_database_a_write_is_refused_not_lost(server: Backend) -> None:
    answer = server.ask("POST", "/api/v1/ledger", "{}", {"Idempotency-Key": "k"})
    assert answer.status == 503


def test_a_write_needs_its_key(server: Backend) -> None:
    answer = server.ask("POST", "/api/v1/ledger", "{}")
    assert (answer.status, "Idempotency-Key" in answer.body) == (400, True)


def test_slow_answers_take_their_time_and_have_bounds(server: Backend) -> None:
    start_time = time.monotonic()
    assert server.ask("GET", "/api/v1/slow?seconds=0.5").json["slept"] == 0.5
    assert 0.5 <= time.monotonic() - start_time < 5
    for bad in ("-1", "301", "soon", "nan"):
        assert server.ask("GET", f"/api/v1/slow?seconds={bad}").status == 400, bad


def test_lists_may_be_cached_and_what_is_personal_never(server: Backend) -> None:
    items = server.ask("GET", "/api/v1/items?bytes=1000")
    assert items.headers["Cache-Control"] == "public, max-age=300"
    assert len(items.json["items"][0]) == 1000
    for path in ("/api/v1/whoami", "/api/v1/health", "/api/v1/metrics"):
        assert server.ask("GET", path).headers["Cache-Control"] == "no-store", path
    login = server.ask("POST", "/api/v1/auth/login", "{}")
    assert (login.headers["Cache-Control"], "session=" in login.headers["Set-Cookie"]) == ("no-store", True)


def test_it_says_what_it_sees_and_that_delay_is_off(server: Backend) -> None:
    seen = server.ask("GET", "/api/v1/whoami", headers={"X-Real-IP": "203.0.113.7"}).json
    assert seen["headers"]["X-Real-IP"] == "203.0.113.7"
    assert seen["remote"] == "127.0.0.1"
    assert seen["tcp_nodelay"] is True


def test_one_connection_carries_many_requests(server: Backend) -> None:
    connection = server.connect()
    for _ in range(3):
        answer = ask(connection, "GET", "/api/v1/items")
        assert answer.headers.get("Connection", "keep-alive") == "keep-alive"
    assert connection.sock is not None
    connection.close()


def test_metrics_count_answers_by_status(server: Backend) -> None:
    before = _counted(server, "404")
    server.ask("GET", "/no/such/path")
    assert _counted(server, "404") == before + 1


def _counted(server: Backend, status: str) -> int:
    lines = server.ask("GET", "/api/v1/metrics").body.splitlines()
    found = [line for line in lines if line.startswith(f'http_requests_total{{status="{status}"}}')]
    return int(found[0].split()[1]) if found else 0


def test_the_error_rate_is_exact_and_leaves_health_alone() -> None:
    with running(FAULT_ERROR_RATE="0.25") as server:
        statuses = [server.ask("GET", "/api/v1/items").status for _ in range(40)]
        assert (statuses.count(500), statuses.count(200)) == (10, 30)
        assert {server.ask("GET", "/api/v1/health/live").status for _ in range(8)} == {200}


def test_never_healthy_means_all_three_endpoints() -> None:
    with running(FAULT_UNHEALTHY="1") as server:
        paths = ("/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready")
        assert [server.ask("GET", path).status for path in paths] == [503, 503, 503]


def test_it_dies_when_its_time_has_come() -> None:
    with running(FAULT_DIE_AFTER="0.3") as server:
        assert server.process.wait(timeout=10) == 70


def test_the_wrong_port() -> None:
    with running(FAULT_PORT="38417") as server, pytest.raises(ConnectionRefusedError):
        server.ask("GET", "/api/v1/health/live")


def test_a_slow_start() -> None:
    begin = time.monotonic()
    with running(FAULT_START_DELAY="1") as server:
        assert time.monotonic() - begin >= 1
        assert server.ask("GET", "/api/v1/health/live").status == 200


def test_memory_on_demand_shows_in_health() -> None:
    with running() as lean, running(FAULT_MEMORY_MB="128") as hog:
        time.sleep(1)
        used = [one.ask("GET", "/api/v1/health").json["services"]["memory"]["used_bytes"] for one in (lean, hog)]
        assert used[1] - used[0] > 100 << 20


@pytest.mark.parametrize(
    ("environment", "arguments", "sentence"),
    [
        ({**NOWHERE, "JWT_SECRET": ""}, (), "Missing required environment variable(s): JWT_SECRET."),
        ({**NOWHERE, "FAULT_CRASH_AT_START": "1"}, (), "crashes at start on demand"),
        ({**NOWHERE, "PORT": "web"}, ("server",), "PORT=web: this is not a number."),
        (NOWHERE, ("migrate",), "P1001: Can't reach the database server"),
        (NOWHERE, ("sing",), "unknown command sing"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    process = start(environment, *arguments)
    out, err = process.communicate(timeout=20)
    assert process.returncode in (1, 2)
    assert sentence in out + err
    assert len((out + err).strip().splitlines()) == 1
