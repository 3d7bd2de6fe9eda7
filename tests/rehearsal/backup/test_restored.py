"""A backup becomes the live database in one step, or stands beside it; whatever fails leaves everything as it was."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from backup_stage import DATABASE, Stage

from components.containers.application import WITH_ENVIRONMENT
from components.containers.docker import SECRETS_FOLDER
from rehearsal.docker import docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import throwaway

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
    sleeping = ["docker", "exec", shop.postgres.id, "psql", "-U", "prod", "-d", DATABASE, "-c", "SELECT pg_sleep(600)"]
    with subprocess.Popen(sleeping, stderr=subprocess.PIPE, text=True) as sleeper:
        said = shop.good("restore", answer=f"{DATABASE}\n")
        assert "terminating connection" in sleeper.communicate(timeout=60)[1]
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


def test_every_acknowledged_row_up_to_the_backup_is_restored(shop: Stage) -> None:
    """A writer that never stops: what was acknowledged before is there, and nothing has a hole."""
    acknowledged: list[int] = []
    done = threading.Event()

    def writer() -> None:
        argv = ["docker", "exec", "-i", shop.postgres.id, "psql", "-XAtq", "-U", "prod", "-d", DATABASE]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            while not done.is_set():
                client.stdin.write("INSERT INTO ledger (word) VALUES ('acknowledged') RETURNING n;\n")
                acknowledged.append(int(client.stdout.readline()))
            client.stdin.close()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        while len(acknowledged) < 200:
            time.sleep(0.01)
        before = len(acknowledged)
        shop.good("backup")
    finally:
        done.set()
        thread.join()
    assert len(acknowledged) > before + 100, "nothing was written while it was dumped"
    shop.good("restore", "--into", "copy")
    restored = [int(n) for n in shop.sql("SELECT n FROM ledger ORDER BY n", "copy").split()]
    assert restored[-1] >= acknowledged[before - 1]
    assert restored == list(range(1, restored[-1] + 1))


def test_where_logins_take_turns_the_owner_is_no_superuser(shop: Stage) -> None:
    """components/containers/onhost/postgres_logins.py gives the superuser a name of its own."""
    shop.sql(
        "CREATE ROLE postgres SUPERUSER LOGIN; CREATE ROLE helper SUPERUSER LOGIN; ALTER DATABASE shop OWNER TO prod"
    )
    as_helper = ("psql", "-XAtq", "-U", "helper", "-d", "postgres", "-c")
    try:
        shop.postgres.run(*as_helper, "ALTER ROLE prod RENAME TO first; CREATE ROLE prod LOGIN CREATEDB")
        shop.good("backup")
        shop.postgres.run(*as_helper, "GRANT ALL ON DATABASE shop TO prod")
        shop.good("restore", "--into", "copy")
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'copy'"
        assert shop.postgres.run(*as_helper, owner) == "first"
    finally:
        shop.postgres.run(*as_helper, "DROP DATABASE IF EXISTS copy", "-c", "REVOKE ALL ON DATABASE shop FROM prod")
        shop.postgres.run(*as_helper, "DROP ROLE prod", "-c", "ALTER ROLE first RENAME TO prod")
        shop.sql("DROP ROLE postgres; DROP ROLE helper", "postgres")


@contextmanager
def a_backend(shop: Stage, statement: str) -> Iterator[dict[str, Any]]:
    """A release that runs, and how its migrations are run: as components/backup/items.py says it."""
    network = docker("network", "create", f"{shop.settings['container']}-network")
    secrets = shop.root / "secrets"
    secrets.mkdir(exist_ok=True)
    address = f"postgresql://prod:x@postgres:5432/{DATABASE}?connection_limit=5"
    (secrets / "environment").write_text(f"DATABASE_URL='{address}'\n")
    image = ensure_image("postgres").tag
    how = {
        "network": network,
        "user": "70:70",
        "entrypoint": list(WITH_ENVIRONMENT),
        "secrets": str(secrets),
        "mounted": SECRETS_FOLDER,
        "memory": 128,
        "cpus": 0.5,
        "command": ["sh", "-c", f'psql "${{DATABASE_URL%%\\?*}}" -v ON_ERROR_STOP=1 -c "{statement}"'],
    }
    try:
        docker("network", "connect", "--alias", "postgres", network, shop.postgres.id)
        with throwaway(image, "sleep", "600", flags=["--label", "service=backend", "--entrypoint", "", "--init"]):
            yield how
    finally:
        docker("network", "disconnect", network, shop.postgres.id)
        docker("network", "rm", network)


def test_the_running_releases_migrations_come_before_the_swap(shop: Stage) -> None:
    shop.good("backup")
    write(shop, "afterwards")
    with a_backend(shop, "CREATE TABLE nonsense (") as broken:
        said = shop.bad("restore", "--yes", migration=broken)
    assert "The migrations: ERROR:  syntax error" in said
    assert shop.sql(ALL) == "first afterwards"
    assert shop.databases() == [DATABASE]
    with a_backend(shop, "CREATE TABLE migrated (n int)") as migration:
        assert "migrations of the running release" in shop.good("restore", "--yes", migration=migration)
    assert shop.sql(ALL) == "first"
    assert shop.sql("SELECT count(*) FROM migrated") == "0"
