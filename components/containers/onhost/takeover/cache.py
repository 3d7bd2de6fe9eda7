"""Redis of the old stack: what it holds, and how nothing of that is lost on the way."""

import time
from typing import Any

from components.containers.onhost.takeover import found
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]
REWRITE_SECONDS = 300
# Where ours looks for its files. Another name would be another, empty, Redis.
NAMES = {"appenddirname": "appendonlydir", "appendfilename": "appendonly.aof", "dbfilename": "dump.rdb"}


def look(docker: Docker, container: Facts) -> Facts:
    password = found.redis_password(container)

    def say(*words: str) -> str:
        return docker.redis(container["Id"], password, *words)

    server, keys = info(say("INFO", "server")), say("DBSIZE")
    settings = {name: setting(say("CONFIG", "GET", name)) for name in ("dir", "appendonly", *NAMES)}
    return {
        "major": int(server["redis_version"].partition(".")[0]),
        "keys": int(keys.strip().rpartition(" ")[2]),
        "append_only": settings["appendonly"] == "yes",
        "place": found.on_host(container, settings["dir"]),
        "other_names": sorted(name for name, usual in NAMES.items() if settings[name] not in ("", usual)),
    }


def log_every_write(docker: Docker, container: Facts) -> None:
    """Ours keeps an append-only file and reads nothing but that: without one it would begin empty. Nobody waits."""
    password = found.redis_password(container)

    def say(*words: str) -> str:
        return docker.redis(container["Id"], password, *words)

    if setting(say("CONFIG", "GET", "appendonly")) != "yes":
        say("CONFIG", "SET", "appendonly", "yes")
    end = time.monotonic() + REWRITE_SECONDS
    while not written(info(say("INFO", "persistence"))):
        if time.monotonic() > end:
            raise TakeoverError(f"Redis did not write its append-only file within {REWRITE_SECONDS} s.")
        time.sleep(0.2)


def written(persistence: "dict[str, str]") -> bool:
    busy = persistence.get("aof_rewrite_in_progress") != "0" or persistence.get("aof_rewrite_scheduled") != "0"
    return persistence.get("aof_enabled") == "1" and not busy and persistence.get("aof_last_bgrewrite_status") == "ok"


def info(text: str) -> "dict[str, str]":
    return dict(line.strip().partition(":")[::2] for line in text.splitlines() if ":" in line)


def setting(answer: str) -> str:
    """redis-cli prints the name and, below it, the value."""
    lines = answer.splitlines()
    return lines[1].strip() if len(lines) > 1 else ""
