"""The backend's image with a real PostgreSQL and Redis: pool, ledger, migrations, faults and end."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from stub_stage import Stage, ask, wait_until_ready

from rehearsal.docker import DockerError, docker
from rehearsal.images import backend, ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal
SLEEPING = "FROM pg_stat_activity WHERE usename = 'prod' AND state = 'active' AND query LIKE 'SELECT pg_sleep%'"
HELD, LET_GO = f"SELECT count(*) {SLEEPING}", f"SELECT pg_cancel_backend(pid) {SLEEPING}"
LOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"


def under_way(container: Container) -> int:
    address = f"http://127.0.0.1:{container.published(3000)}/api/v1/metrics"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return next(int(line.split()[1]) for line in answer.read().decode().splitlines() if "under_way" in line)


def test_healthy_with_the_whole_pool_open_from_the_start(stage: Stage) -> None:
    with stage.backend(pool=7) as container:
        wait_until_ready(container)
        status, report = ask(container, "/api/v1/health")
        assert (status, report["status"], report["version"]) == (200, "healthy", "1.4.2")
        assert {part["status"] for part in report["services"].values()} == {"healthy"}
        assert report["services"]["database"]["pool"]["size"] == 7
        assert stage.connected() == 7
        assert container.run("id", "-u") == "1000"


def test_a_pool_that_does_not_fit_is_never_ready_and_holds_nothing(stage: Stage) -> None:
    """max_connections is 20 and 3 are the superuser's: 18 do not fit."""
    with stage.backend(pool=18) as container:
        container.wait_until(lambda: "cannot be opened" in container.logs(), "it says so")
        assert "remaining connection slots are reserved" in container.logs()
        assert ask(container, "/api/v1/health")[0] == 503
        assert ask(container, "/api/v1/health/ready")[0] == 503


def test_no_connection_in_time_is_a_503_not_a_hanging_visitor(stage: Stage) -> None:
    with stage.backend(pool=1) as container:
        wait_until_ready(container)
        with ThreadPoolExecutor() as pool:
            holding = pool.submit(ask, container, "/api/v1/hold?seconds=25")
            container.wait_until(lambda: stage.sql(HELD) == "1", "the one connection is held")
            begin = time.monotonic()
            assert ask(container, "/api/v1/users/me")[0] == 503
            assert time.monotonic() - begin > 1.5  # pool_timeout=2
            assert not holding.done(), "it did not wait for the connection"
            stage.sql(LET_GO)
            assert holding.result()[0] == 500
        assert ask(container, "/api/v1/users/me")[0] == 200


def test_the_ledger_tells_lost_from_doubled_writes(stage: Stage) -> None:
    with stage.database("ledger"), stage.backend(pool=3, database="ledger") as container:
        stage.migrate("ledger")
        wait_until_ready(container)
        for key, status in (("run-1", 201), ("run-2", 201), ("run-1", 200), ("else", 201)):
            assert ask(container, "/api/v1/ledger", "POST", Idempotency_Key=key)[0] == status
        assert ask(container, "/api/v1/ledger?prefix=run-")[1]["writes"] == {"run-1": 2, "run-2": 1}
        assert stage.sql("SELECT sum(attempts) FROM ledger", "ledger") == "4"


def test_migrations_run_once(stage: Stage) -> None:
    with stage.database("once"):
        assert stage.migrate("once").endswith("All migrations have been successfully applied.")
        assert stage.migrate("once") == "No pending migrations to apply."
        assert stage.sql("SELECT count(*), count(finished_at) FROM _prisma_migrations", "once") == "2|2"


def test_a_second_deployment_waits_for_the_first_ones_migration(stage: Stage) -> None:
    """Prisma's advisory lock, held here as a first deployment would hold it."""
    with stage.database("queue"), ThreadPoolExecutor() as pool:
        first = pool.submit(stage.sql, "SELECT pg_advisory_lock(72707369), pg_sleep(7)", "queue")
        stage.postgres.wait_until(lambda: stage.sql(LOCKED, "queue") == "1", "the first has the lock")
        stage.migrate("queue")
        assert first.done()


def test_a_failing_migration_stops_the_deployment_and_every_later_one(stage: Stage) -> None:
    with stage.database("broken"):
        with pytest.raises(DockerError):
            stage.migrate("broken", FAULT_MIGRATION="1")
        assert stage.sql("SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL", "broken") == "1"
        with pytest.raises(DockerError):
            stage.migrate("broken")
        code, said = stage.migrate_and_watch("broken")
        assert (code, said.startswith("Error: P3009")) == (1, True)


def test_an_old_release_breaks_on_the_third_migration_only(stage: Stage) -> None:
    """What a rollback has to know: the second migration is harmless to old releases, the third is not."""
    with stage.database("ahead"), stage.backend(pool=2, database="ahead", APP_MIGRATIONS="1") as old:
        stage.migrate("ahead", APP_MIGRATIONS="2")
        wait_until_ready(old)
        assert ask(old, "/api/v1/ledger", "POST", Idempotency_Key="a")[0] == 201
        stage.migrate("ahead", APP_MIGRATIONS="3")
        assert ask(old, "/api/v1/ledger", "POST", Idempotency_Key="b")[0] == 500
        with stage.backend(pool=2, database="ahead", APP_MIGRATIONS="3") as new:
            wait_until_ready(new)
            assert ask(new, "/api/v1/ledger")[1]["writes"] == {"a": 1}


def test_docker_stop_lets_the_request_under_way_finish(stage: Stage) -> None:
    with stage.backend() as container:
        wait_until_ready(container)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask(container, "/api/v1/slow?seconds=2")))
        asking.start()
        container.wait_until(lambda: under_way(container) == 2, "that request and this question are under way")
        assert container.stop(grace=60) == 0
        asking.join(60)
        assert [status for status, _ in answers] == [200]
    assert stage.connected() == 0


def test_it_recovers_when_the_database_comes_back(stage: Stage) -> None:
    with stage.backend(pool=2) as container:
        wait_until_ready(container)
        docker("network", "disconnect", stage.network, stage.postgres.id)
        try:
            assert ask(container, "/api/v1/health")[0] == 503
        finally:
            docker("network", "connect", "--alias", "postgres", stage.network, stage.postgres.id)
        container.wait_until(lambda: ask(container, "/api/v1/health")[0] == 200, "the backend is healthy again", 60)


def test_a_memory_hog_is_killed_by_its_limit(stage: Stage) -> None:
    with stage.backend("--memory", "128m", "--memory-swap", "128m", FAULT_MEMORY_MB="512") as container:
        assert docker("wait", container.id, timeout=60) == "137"
        assert docker("inspect", "--format", "{{.State.OOMKilled}}", container.id) == "true"


def test_a_bad_release_is_an_image_with_its_fault_baked_in(stage: Stage) -> None:
    bad = ensure_image(backend("1.4.3", {"FAULT_CRASH_AT_START": "1"}))
    assert bad.tag != stage.tag
    with throwaway(bad.tag, flags=stage.flags(pool=1)) as container:
        assert docker("wait", container.id) == "1"
        assert "crashes at start on demand" in container.logs()


def test_a_missing_variable_is_a_sentence(stage: Stage) -> None:
    with throwaway(stage.tag, flags=["--env", "REDIS_URL=redis://x"]) as container:
        assert docker("wait", container.id) == "1"
        assert "Missing required environment variable(s): DATABASE_URL, JWT_SECRET" in container.logs()


def test_what_the_image_declares(stage: Stage) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", stage.tag))
    assert config["User"] == "node"
    assert list(config["ExposedPorts"]) == ["3000/tcp"]
    assert config["StopSignal"] == "SIGTERM"
    assert "APP_VERSION=1.4.2" in config["Env"]


def test_a_second_build_costs_nothing(stage: Stage) -> None:
    begin = time.monotonic()
    assert ensure_image(backend("1.4.2")).tag == stage.tag
    assert time.monotonic() - begin < allowed(2)
