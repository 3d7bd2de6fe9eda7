"""A backup becomes the live database in one step, or stands beside it; whatever fails leaves everything as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from backup_stage import DATABASE, Stage

pytestmark = pytest.mark.rehearsal
ALL = "SELECT string_agg(word, ' ' ORDER BY n) FROM ledger"


def write(shop: Stage, word: str, database: str = DATABASE) -> None:
    shop.sql(f"INSERT INTO ledger (word) VALUES ('{word}')", database)  # noqa: S608


@pytest.fixture(autouse=True)
def _as_it_was(shop: Stage) -> Iterator[None]:
    shop.sql("TRUNCATE ledger RESTART IDENTITY; INSERT INTO ledger (word) VALUES ('first')")
    yield
    for name in shop.databases():
        if name != DATABASE:
            shop.sql(f'DROP DATABASE "{name}" WITH (FORCE)', "postgres")


def test_the_newest_backup_takes_the_live_databases_name(shop: Stage) -> None:
    shop.good("backup")
    write(shop, "afterwards")
    refused = shop.bad("restore", answer="no\n")
    assert "The name was not typed" in refused
    assert shop.databases() == [DATABASE]
    said = shop.good("restore", answer=f"{DATABASE}\n")
    assert shop.sql(ALL) == "first"
    (kept,) = [name for name in shop.databases() if name != DATABASE]
    assert kept in said
    assert shop.sql(ALL, kept) == "first afterwards"
    write(shop, "again")
    assert shop.sql("SELECT max(n) FROM ledger") == "2"
    assert shop.sql("SHOW work_mem") == "5MB"
    assert shop.sql("SELECT has_table_privilege('reader', 'stock.item', 'SELECT')") == "t"
    assert len(shop.names()) == 2, "the safety backup is missing"


def test_beside_the_live_database_nothing_else_changes(shop: Stage) -> None:
    shop.good("backup")
    write(shop, "afterwards")
    shop.good("restore", "latest", "--into", "copy")
    assert shop.sql(ALL, "copy") == "first"
    assert shop.sql(ALL) == "first afterwards"
    assert "already" in shop.bad("restore", "--into", "copy")
    assert "small letters" in shop.bad("restore", "--into", "Robert'; --")


def test_sessions_end_and_come_back_to_the_restored_one(shop: Stage) -> None:
    shop.good("backup")
    write(shop, "afterwards")
    sleeping = ["docker", "exec", shop.postgres.id, "psql", "-U", "prod", "-d", DATABASE, "-c", "SELECT pg_sleep(200)"]
    with subprocess.Popen(sleeping, stderr=subprocess.PIPE, text=True) as sleeper:
        shop.good("restore", "--yes")
        assert "terminating connection" in sleeper.communicate(timeout=10)[1]
    assert shop.sql(ALL) == "first"


def test_a_load_that_fails_leaves_nothing_behind(shop: Stage) -> None:
    shop.good("backup")
    write(shop, "afterwards")
    shop.sql("ALTER ROLE prod SET statement_timeout = '1ms'", "postgres")
    try:
        said = shop.bad("restore", "--yes")
    finally:
        shop.sql("SET statement_timeout = 0; ALTER ROLE prod RESET statement_timeout", "postgres")
    assert f"{DATABASE} is as it was" in said
    assert shop.databases() == [DATABASE]
    assert shop.sql(ALL) == "first afterwards"
