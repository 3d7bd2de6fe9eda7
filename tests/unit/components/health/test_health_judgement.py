"""From figures to findings, and from findings to what people are told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from components.health.onhost import containers, look, machine, others, stores, traffic, watching
from components.health.onhost.finding import CRITICAL, OK, UNKNOWN, WARNING, Finding, broken, fine, warning

SHARES = {"warning": 0.9, "critical": 0.975}
RATE = {"error_rate": {"warning": 0.05, "critical": 0.1}, "latency": {"warning": 500, "critical": 1000}}


@pytest.mark.parametrize(
    ("used", "level"), [(180, OK), (181, WARNING), (195, WARNING), (196, CRITICAL)], ids=["180", "181", "195", "196"]
)
def test_connections_are_judged_by_the_figures_of_the_product(used: int, level: str) -> None:
    assert stores.connections(used, 200, SHARES).level == level


@pytest.mark.parametrize(("used", "level"), [(1843, OK), (1844, WARNING), (1996, WARNING), (1997, CRITICAL)])
def test_redis_memory_is_judged_by_shares_of_its_limit(used: int, level: str) -> None:
    assert stores.memory(used << 20, 2048 << 20, SHARES).level == level


def test_redis_that_cannot_write_is_a_warning() -> None:
    assert [each.level for each in stores.saving({"rdb_last_bgsave_status": "err"})] == [WARNING]
    assert not list(stores.saving({"rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok"}))


@pytest.mark.parametrize(
    ("left", "self_signed", "level", "vital"),
    [(30, False, OK, False), (20, False, WARNING, False), (6, False, CRITICAL, False), (-1, False, CRITICAL, True)],
)
def test_a_certificate_that_ends_is_said_in_time(left: float, self_signed: bool, level: str, vital: bool) -> None:
    found = others.judged_certificate(left, self_signed, {"warning": 21, "critical": 7})
    assert (found.level, found.vital) == (level, vital)


def test_a_self_signed_certificate_is_a_warning() -> None:
    assert others.judged_certificate(29, True, {"warning": 21, "critical": 7}).level == WARNING


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ({"last_verified": "2000-01-01T00:00:00Z"}, CRITICAL),
        ({"last_verified": None, "error": "no route"}, CRITICAL),
        ({"last_verified": "now"}, OK),
        ({"last_verified": "now", "error": "S3 said 403"}, WARNING),
        ([], WARNING),
        ({"last_verified": "yesterday"}, WARNING),
    ],
)
def test_a_backup_counts_when_it_was_verified(tmp_path: Path, said: Any, level: str) -> None:
    if isinstance(said, dict) and said["last_verified"] == "now":
        said = {**said, "last_verified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    path = tmp_path / "status.json"
    path.write_text(json.dumps(said))
    [found] = others.backup({"backup_status": str(path), "backup_max_age": 36 * 3600})
    assert found.level == level, found


def test_no_backup_yet_is_not_looked_at(tmp_path: Path) -> None:
    [found] = others.backup({"backup_status": str(tmp_path / "none"), "backup_max_age": 1})
    assert found.level == UNKNOWN


def line(path: str, status: int, seconds: float, ago: float = 10) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - ago))
    said = json.dumps({"time": at, "path": path, "status": str(status), "seconds": str(seconds)})
    return json.dumps({"log": f"{said}\n", "stream": "stdout", "time": at}) + "\n"


def judged(log: Path) -> dict[str, Finding]:
    found = list(traffic.recent(log, {"window": 300, "ignored_paths": ["/api/v1/health"]}))
    return {each.name: each for each in traffic.figures(found, RATE)}


def test_errors_and_times_are_those_of_visitors_in_the_window(tmp_path: Path) -> None:
    log = tmp_path / "json.log"
    visitors = [line("/api/v1/x", 200, 0.1)] * 90 + [line("/api/v1/x", 502, 2.0)] * 10
    noise = [
        *([line("/api/v1/health/ready", 503, 9.0)] * 200),
        *([line("/api/v1/x", 500, 9.0, ago=1000)] * 200),
        json.dumps({"log": "2026 [error] upstream\n", "stream": "stderr"}) + "\n",
        '{"log": "cut o',
    ]
    log.write_text("".join([*visitors, *noise]))
    found = judged(log)
    assert found["error rate"].value == pytest.approx(10 / 100, abs=0.001)
    assert found["error rate"].level == WARNING
    assert found["response time"].level == CRITICAL
    assert found["response time"].value == pytest.approx(2000)


def test_a_visitor_who_stays_or_leaves_is_not_slow(tmp_path: Path) -> None:
    """WebSockets last for days; who has closed the page was not answered."""
    (tmp_path / "json.log").write_text(
        line("/x", 200, 0.1) * 60 + line("/socket.io/", 101, 4000.0) * 20 + line("/x", 499, 9) * 20
    )
    assert judged(tmp_path / "json.log")["response time"].value == pytest.approx(100)


def test_a_rotated_log_is_read_on_in_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "json.log").write_text(line("/x", 200, 0.1) * 10)
    (tmp_path / "json.log.1").write_text(line("/x", 200, 0.1) * 60)
    assert judged(tmp_path / "json.log")["error rate"].text.startswith("0.0% of 70 requests")


def test_only_the_end_of_a_large_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "json.log"
    log.write_text(line("/x", 200, 0.1) * 200)
    monkeypatch.setattr(traffic, "MOST", log.stat().st_size // 2)
    assert 95 <= len(list(traffic.recent(log, {"window": 300, "ignored_paths": ["/no"]}))) <= 101


def test_a_few_requests_are_no_share(tmp_path: Path) -> None:
    (tmp_path / "json.log").write_text(line("/x", 500, 0.1) * 49)
    assert judged(tmp_path / "json.log")["error rate"].level == UNKNOWN


def test_the_percentile_is_one_that_has_happened() -> None:
    assert traffic.percentile([float(each) for each in range(1, 101)], 0.95) == 95
    assert traffic.percentile([3.0], 0.95) == 3


def state(**more: Any) -> containers.Container:
    given = {"Running": True, "StartedAt": "2020-01-01T00:00:00.123456789Z", "Health": {"Status": "healthy"}, **more}
    restarts = given.pop("restarts", 0)
    return containers.Container("id", "name", "redis", given, restarts, "172.17.0.2", "")


@pytest.mark.parametrize(
    ("one", "level", "words"),
    [
        (None, CRITICAL, "is gone"),
        (state(), OK, "runs, healthy"),
        (state(Health={"Status": "unhealthy"}), CRITICAL, "its own health check fails"),
        (state(Running=False, Status="exited", ExitCode=137, OOMKilled=True), CRITICAL, "it ran out of memory"),
        (state(Restarting=True, Status="restarting", ExitCode=1), CRITICAL, "is restarting (exit code 1)"),
        (state(restarts=7), OK, "runs"),
    ],
    ids=["gone", "well", "unhealthy", "memory", "loop", "long-ago"],
)
def test_containers_say_what_they_are(one: containers.Container | None, level: str, words: str) -> None:
    found = containers.state_of("redis", one)
    assert found.level == level
    assert words in found.text


@pytest.mark.parametrize(("before_first", "level"), [(True, UNKNOWN), (False, CRITICAL)])
def test_nothing_is_missed_before_the_first_release(before_first: bool, level: str) -> None:
    whole = containers.Stack(dict.fromkeys(containers.SINGLE), {}, before_first)
    assert {each.level for each in containers.judged(whole)} == {level}


def test_a_recent_death_is_a_warning() -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime())
    found = containers.state_of("redis", state(restarts=2, StartedAt=now))
    assert found.level == WARNING
    assert "2 times" in found.text


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("neurmatic-backend-1-production-0a1b2c3", "backend-1"),
        ("neurmatic-frontend-production-0a1b2c3", "frontend"),
        ("neurmatic-postgres-production", "postgres"),
        ("neurmatic-backend-1-staging-0a1b2c3", ""),
        ("somebody-else", ""),
    ],
)
def test_services_keep_their_names_while_containers_roll(name: str, service: str) -> None:
    assert containers.service_of(name, "neurmatic-{service}-production") == service


def bad(name: str, level: str) -> Finding:
    return Finding(name, level, f"{name} is {level}")


def run(*levels: str) -> list[str]:
    """What is announced about one thing after each look."""
    alarms: watching.Alarms = {}
    said = []
    for level in levels:
        alarms = watching.follow(alarms, [bad("redis", level)])
        said.append(alarms.get("redis", {"announced": OK})["announced"])
    return said


def test_one_bad_look_is_none_two_are_an_alarm_three_good_ones_its_end() -> None:
    assert run(CRITICAL, OK, CRITICAL, CRITICAL, OK, OK, OK) == [OK, OK, OK, CRITICAL, CRITICAL, CRITICAL, OK]


def test_what_changes_its_level_is_followed() -> None:
    assert run(WARNING, CRITICAL, CRITICAL, WARNING, WARNING, WARNING) == [
        *(OK, WARNING, CRITICAL, CRITICAL, CRITICAL, WARNING)
    ]


def test_what_was_not_looked_at_changes_nothing() -> None:
    assert run(CRITICAL, CRITICAL, UNKNOWN, UNKNOWN, UNKNOWN, OK, OK, OK)[-4:] == [CRITICAL, CRITICAL, CRITICAL, OK]


def test_what_was_never_looked_at_is_not_remembered() -> None:
    assert watching.follow({}, [bad("redis", UNKNOWN)]) == {}


def test_a_thing_that_is_no_more_is_in_order() -> None:
    alarms = watching.follow(watching.follow({}, [bad("backend-3", CRITICAL)]), [bad("backend-3", CRITICAL)])
    for _ in range(3):
        alarms = watching.follow(alarms, [])
    assert alarms == {}


def test_a_busy_cpu_is_given_time() -> None:
    alarms: watching.Alarms = {}
    for number in range(1, 11):
        alarms = watching.follow(alarms, [bad("cpu", WARNING)])
        assert alarms["cpu"]["announced"] == (WARNING if number == 10 else OK)


def test_the_message_names_all_of_it_and_the_worst_level() -> None:
    findings = [bad("redis", CRITICAL), bad("disk", WARNING), fine("api", "answers")]
    alarms = watching.follow(watching.follow({}, findings), findings)
    assert watching.words(alarms) == (
        CRITICAL,
        "2 things are wrong: disk, redis",
        ["warning: disk: disk is warning", "critical: redis: redis is critical"],
    )
    one = watching.follow(watching.follow({}, findings[:1]), findings[:1])
    assert watching.words(one) == (CRITICAL, "redis: redis is critical", ["critical: redis: redis is critical"])
    assert watching.fingerprint(one) != watching.fingerprint(alarms)
    assert watching.words(watching.follow({}, findings)) is None


def test_a_broken_memory_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("[")
    assert watching.remembered(tmp_path / "state.json") == {}


def sleeping() -> list[Finding]:
    time.sleep(5)
    return [fine("slow", "too late")]


def failing() -> list[Finding]:
    return [fine("failing", str(1 / 0))]


def test_a_look_that_hangs_or_fails_hides_no_other() -> None:
    looks = look.Looks(seconds=0.3)
    looks.start("slow", sleeping)
    looks.start("failing", failing)
    looks.start("good", lambda: [warning("good", "as it is"), broken("better", "too")])
    looks.wait()
    found = {each.name: each for each in looks.findings()}
    assert found["slow"].text == "gave no answer within 0.3 s"
    assert "division by zero" in found["failing"].text
    assert found["good"].text == "as it is"
    assert found["better"].vital


def test_cpu_is_measured_since_the_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "counters", lambda: (1060.0, 1000.0, 7000.0))
    limits = {"limits": {"cpu": {"warning": 0.8, "critical": 0.9}}}
    [found] = machine.cpu(limits, [1000.0, 900.0, 1000.0])
    assert found.text == "98% busy over 60 s"
    assert found.level == CRITICAL


def test_memory_is_judged_by_what_is_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PROC", tmp_path)
    given = {"healthy": {"memory_free": 0.1}, "limits": {"memory": {"warning": 0.85, "critical": 0.95}}}
    expected = {2000: (OK, False), 1400: (WARNING, False), 1000: (CRITICAL, True)}
    for free, (level, vital) in expected.items():
        (tmp_path / "meminfo").write_text(f"MemTotal: 10000 kB\nMemFree: 5 kB\nMemAvailable: {free} kB\n")
        [found] = machine.memory(given)
        assert (found.level, found.vital) == (level, vital)
