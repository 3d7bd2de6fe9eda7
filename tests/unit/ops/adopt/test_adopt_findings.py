"""What is said of an old stack before anything is touched: what was found, what becomes of it, what does not fit."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.containers.config import ContainersSettings
from ops.adopt.findings import described, judged, outage, running_release

SETTINGS = ContainersSettings.model_validate(
    {"postgres": {"database": "neurmatic_production", "user": "neurmatic_prod", "image": "postgres:15-alpine"}}
)
BACKEND = "ghcr.io/alexbaum-ai/neurm-backend"
DIGEST = "sha256:" + "a" * 64


def container(kind: str, image: str, **more: Any) -> dict[str, Any]:
    plain = {"name": f"neurmatic-{kind}", "kind": kind, "service": kind, "project": "neurmatic", "running": True}
    return {**plain, "image": image, "digests": [], "version": "", "ports": [], "networks": [], **more}


def place(path: str, how: str) -> dict[str, Any]:
    return {
        "place": path,
        "target": "/mnt/data/x",
        "how": how,
        "size": 300 * 2**20,
        "owner": [999, 999],
        "taken": False,
    }


FACTS: dict[str, Any] = {
    "phase": "nothing",
    "host_nginx": False,
    "ours": [],
    "free": {"data": 2**40, "backups": 2**40},
    "containers": [
        container("postgres", "postgres:15-alpine", ports=[5432]),
        container("redis", "redis:7-alpine"),
        container("backend", f"{BACKEND}:1.4.2", digests=[f"{BACKEND}@{DIGEST}"]),
        container("frontend", "x", digests=[f"ghcr.io/alexbaum-ai/neurm-frontend@{DIGEST}"]),
    ],
    "postgres": {
        **place("/mnt/data/postgres", "rename"),
        "major": 15,
        "superuser": "neurmatic_prod",
        "checksums": False,
        "tablespaces": 0,
        "replicas": 0,
        "databases": [
            {
                "name": "neurmatic_production",
                "owner": "neurmatic_prod",
                "encoding": "UTF8",
                "collate": "en_US.utf8",
                "collation_version": None,
                "provider": "c",
                "size": 2**20,
            }
        ],
        "roles": [{"name": "neurmatic_prod", "super": True}],
        "owners": {"neurmatic_prod": 12},
    },
    "redis": {
        **place("/var/lib/docker/volumes/r/_data", "copy"),
        "major": 7,
        "keys": 9,
        "append_only": True,
        "other_names": [],
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    facts = copy.deepcopy(FACTS)
    *above, last = path.split(".")
    at: Any = facts
    for key in above:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[int(last) if isinstance(at, list) else last] = value
    return facts


def blocking(facts: dict[str, Any]) -> list[str]:
    return [each.text for each in judged(facts, SETTINGS) if each.blocks]


def test_a_stack_like_ours_fits() -> None:
    assert blocking(FACTS) == []
    said = "\n".join(described(FACTS))
    assert "by docker-compose (project neurmatic), 4 containers" in said
    assert "PostgreSQL 15 without checksums, superuser neurmatic_prod, in /mnt/data/postgres (300 MB, moves to" in said
    assert "database neurmatic_production of neurmatic_prod (UTF8, en_US.utf8, 1 MB)" in said
    assert "Redis 7, 9 keys in /var/lib/docker/volumes/r/_data (300 MB, is copied to" in said


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("postgres.major", 14, "PostgreSQL 14 keeps its data in another form than 15"),
        ("postgres.databases.0.name", "app", "no database neurmatic_production, but app"),
        ("postgres.databases.0.owner", "app", "belongs to app"),
        ("postgres.owners", {"neurmatic_prod": 3, "old": 2}, "2 tables of old"),
        ("postgres.databases.0.collation_version", "2.36", "has another C library"),
        ("postgres.place", "", "lies in the container itself"),
        ("postgres.taken", True, "is not empty"),
        ("postgres.tablespaces", 1, "outside of its folder"),
        ("postgres.wal_elsewhere", True, "outside of its folder"),
        ("postgres", {"trouble": "no such role"}, "no such role"),
        ("redis.major", 8, "Redis 8 writes files that 7 does not read"),
        ("redis.other_names", ["dbfilename"], "dbfilename"),
        ("redis.taken", True, "is not empty"),
        ("free.data", 2**20, "300 MB are needed for data"),
        ("free.backups", 2**10, "1 MB are needed for backups"),
        ("containers.0.running", False, "does not run"),
        ("ours", ["neurmatic-redis-production"], "are there already"),
        ("containers.0.kind", "other", "None of the containers is PostgreSQL"),
        ("containers.1.kind", "postgres", "only you know which has the data"),
    ],
)
def test_what_does_not_fit_is_one_sentence(path: str, value: Any, word: str) -> None:
    said = blocking(changed(path, value))
    assert any(word in text for text in said), said
    assert all(text.endswith(".") or path == "postgres" for text in said)


def test_another_superuser_is_no_obstacle() -> None:
    facts = changed("postgres.superuser", "postgres")
    facts["postgres"] |= {"roles": [{"name": "postgres", "super": True}], "owners": {"postgres": 12}}
    facts["postgres"]["databases"][0]["owner"] = "postgres"
    assert blocking(facts) == []
    assert any("renamed to neurmatic_prod" in each.text for each in judged(facts, SETTINGS))


def test_a_copy_makes_the_outage_longer() -> None:
    assert outage(FACTS, SETTINGS) == outage(changed("redis.how", "rename"), SETTINGS) + 3


def test_what_runs_becomes_the_release() -> None:
    release = {"version": "1.4.2", "backend": DIGEST, "frontend": DIGEST}
    assert running_release(FACTS, SETTINGS) == release
    assert running_release(changed("containers.2.image", f"{BACKEND}:production-latest"), SETTINGS) == {}
    labelled = changed("containers.2.image", f"{BACKEND}:production-latest")
    labelled["containers"][2]["version"] = "1.4.2"
    assert running_release(labelled, SETTINGS) == release
    assert running_release(changed("containers.3.digests", []), SETTINGS) == {}
