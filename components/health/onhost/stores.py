"""PostgreSQL and Redis, by their own clients inside their containers: passwords stay where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.health.onhost.containers import Stack
from components.health.onhost.finding import CRITICAL, Finding, against, broken, critical, fine, warning
from components.health.onhost.process import SilenceError, ask, last_line

# Of whoever is connected: the server's own processes are none.
CONNECTIONS = (
    "SELECT count(*), current_setting('max_connections') FROM pg_catalog.pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid();\n"
)
FULL = "too many clients"
MB = 1 << 20
# A client in a container starts slowly on a busy server, and that is no failure of the database.
SECONDS = 7.0


def postgres(whole: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    one = whole.single["postgres"]
    if one is None or not one.running:
        return  # its container is a finding already
    given = settings["postgres"]
    limited = ["--env", "PGCONNECT_TIMEOUT=3", "--env", "PGOPTIONS=-c statement_timeout=3000"]
    client = ["psql", "-XAtq", "-F", " ", "-v", "ON_ERROR_STOP=1", "-U", given["user"], "-d", given["database"]]
    try:
        done = ask(["docker", "exec", "--interactive", *limited, one.id, *client], CONNECTIONS, SECONDS)
    except SilenceError as error:
        yield broken("postgres", f"does not answer: {error}")
        return
    if FULL in done.stderr:
        yield fine("postgres", "answers")
        yield broken("connections", "all database connections are in use, not one is left: the API fails")
        return
    if done.returncode:
        yield broken("postgres", f"does not answer: {last_line(done)}")
        return
    yield fine("postgres", "answers")
    used, most = done.stdout.split()[:2]
    yield connections(int(used), int(most), settings["limits"]["connections"])


def connections(used: int, most: int, limits: Mapping[str, float]) -> Finding:
    share = {level: limit * most for level, limit in limits.items()}
    return against("connections", f"{used} of {most} database connections are in use", used, share)


def redis(whole: Stack, settings: Mapping[str, Any]) -> Iterator[Finding]:
    one = whole.single["redis"]
    if one is None or not one.running:
        return
    given = settings["redis"]
    try:
        # As `operator`, which is root of this server (onhost/redis_logins.py); all of it by standard input.
        secret = Path(given["operator"]).read_text().strip()
        asked = f"AUTH operator {secret}\nPING\nINFO\n"
        done = ask(["docker", "exec", "--interactive", one.id, "redis-cli", "-e"], asked, SECONDS)
    except OSError as error:
        yield warning("redis", f"cannot be asked: {given['operator']} cannot be read ({error.strerror})")
        return
    except SilenceError as error:
        yield broken("redis", f"does not answer: {error}")
        return
    login, *lines = [line.strip() for line in done.stdout.splitlines()] or [""]
    info = dict(line.split(":", 1) for line in lines if ":" in line)
    if done.returncode or lines[:1] != ["PONG"] or "used_memory" not in info:
        yield broken("redis", f"does not answer: {last_line(done) if login in ('', 'OK') else login[:200]}")
        return
    yield fine("redis", "answers")
    yield memory(int(info["used_memory"]), given["maxmemory"] * MB, settings["limits"]["redis_memory"])
    yield from saving(info)


def memory(used: int, most: int, limits: Mapping[str, float]) -> Finding:
    text = f"{used / MB:.0f} MB of {most / MB:.0f} MB are in use"
    finding = against("redis memory", text, used / most, limits)
    if finding.level == CRITICAL:
        return critical(finding.name, f"{text}: what is not asked for gives way, job queues included", finding.value)
    return finding


def saving(info: Mapping[str, str]) -> Iterator[Finding]:
    failed = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if info.get(name, "ok") != "ok"]
    if failed:
        yield warning("redis disk", f"Redis could not write its data to disk ({', '.join(failed)})")
