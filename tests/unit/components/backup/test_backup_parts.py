"""The parts that decide: what differs, whose statements run, which error is temporary, how S3 is signed."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from components.backup.onhost import dumpfile, prepare, process
from components.backup.onhost.dumpfile import Manifest
from components.backup.onhost.migrate import for_database
from components.backup.onhost.portrait import Portrait, differences
from components.backup.onhost.problem import BackupError, RefusedError
from components.backup.onhost.s3 import Object, S3Error, encoded
from components.backup.onhost.scratch import comparable

PORTRAIT = Portrait(
    tables={"public.a": [2, 77], "public.b": [0, 0]},
    sequences={"public.up": [1, 10], "public.down": [-1, -10]},
    schema="abc",
    create="CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8';",
    about=["ALTER DATABASE shop OWNER TO prod;", "GRANT CONNECT ON DATABASE shop TO reader;"],
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tables": {"public.a": [1, 77], "public.b": [0, 0]}}, "public.a has 1 rows instead of 2"),
        ({"tables": {"public.a": [2, 78], "public.b": [0, 0]}}, "public.a has other content"),
        ({"tables": {"public.a": [2, 77]}}, "public.b is missing"),
        ({"tables": {**PORTRAIT.tables, "c": [0, 0]}}, "c was not there"),
        ({"sequences": {"public.up": [1, 9], "public.down": [-1, -10]}}, "the sequence public.up is behind 10"),
        ({"sequences": {"public.up": [1, 10], "public.down": [-1, -9]}}, "the sequence public.down is behind -10"),
        ({"schema": "abd"}, "the schema is another one"),
    ],
)
def test_each_difference_is_found(changes: dict[str, object], words: str) -> None:
    assert differences(PORTRAIT, replace(PORTRAIT, **changes)) == [words]  # type: ignore[arg-type]


def test_a_sequence_may_have_gone_on() -> None:
    later = replace(PORTRAIT, sequences={"public.up": [1, 11], "public.down": [-1, -11]})
    assert differences(PORTRAIT, later) == []


class Recorder:
    def __init__(self, roles: str) -> None:
        self.said: list[str] = []
        self._roles = roles

    def ask(self, _database: str, sql: str) -> str:
        if sql.startswith("SELECT rolname"):
            return self._roles
        self.said += sql.splitlines()
        return ""


def test_a_role_that_exists_is_left_as_it_is() -> None:
    """Its password among the rest: a backup has none."""
    server = Recorder("prod\nwriter")
    statements = [
        *(
            "CREATE ROLE prod;",
            "ALTER ROLE prod WITH SUPERUSER;",
            "CREATE ROLE writer;",
            "ALTER ROLE writer WITH NOLOGIN;",
        ),
        *('CREATE ROLE "New One";', 'ALTER ROLE "New One" WITH LOGIN;', 'GRANT prod TO "New One" GRANTED BY prod;'),
    ]
    prepare.create_roles(server, statements)  # type: ignore[arg-type]
    assert server.said == ['CREATE ROLE "New One";', 'ALTER ROLE "New One" WITH LOGIN;', statements[-1]]


def test_a_database_is_made_like_the_one_it_came_from() -> None:
    server = Recorder("")
    prepare.create_database(server, "shop_new", PORTRAIT)  # type: ignore[arg-type]
    assert server.said == [
        "CREATE DATABASE \"shop_new\" WITH TEMPLATE = template0 ENCODING = 'UTF8';",
        'ALTER DATABASE "shop_new" OWNER TO prod;',
        'GRANT CONNECT ON DATABASE "shop_new" TO reader;',
    ]


def test_migrations_go_to_the_restored_database_and_nothing_else_changes() -> None:
    text = "DATABASE_URL='postgresql://u:p@postgres:5432/shop?pool=5'\nOTHER='/shop?'\n"
    assert for_database(text, "shop", "shop_new") == text.replace("5432/shop?", "5432/shop_new?")
    with pytest.raises(BackupError, match="does not name the database"):
        for_database("OTHER='/shop?'\n", "shop", "shop_new")


@pytest.mark.parametrize(
    ("status", "code", "temporary", "wrong_key"),
    [
        (503, "SlowDown", True, False),
        (500, "InternalError", True, False),
        (0, "unreachable", True, False),
        (403, "InvalidAccessKeyId", False, True),
        (404, "NoSuchBucket", False, False),
        (412, "PreconditionFailed", False, False),
    ],
)
def test_what_is_worth_another_try(status: int, code: str, temporary: bool, wrong_key: bool) -> None:
    error = S3Error(status, code, "words")
    assert (error.temporary, error.wrong_key) == (temporary, wrong_key)


def test_archived_until_it_has_come() -> None:
    here = Object("k", 1, "GLACIER", retrieval='ongoing-request="false", expiry-date="..."')
    coming = Object("k", 1, "GLACIER", retrieval='ongoing-request="true"')
    assert (here.archived, coming.archived, coming.coming) == (False, True, True)
    assert not Object("k", 1, "STANDARD_IA").archived


def test_a_query_is_quoted_as_the_signature_wants_it() -> None:
    assert encoded({"prefix": "a/b c", "list-type": "2"}) == "list-type=2&prefix=a%2Fb%20c"


def told(digest: str, size: int) -> Manifest:
    rest = {"database": "shop", "reason": "daily", "taken": "2026-01-01T02:00:00+00:00", "server": "15.1"}
    return Manifest(
        format=1, name="n.sql.gz", system="s", database_bytes=1, sql_bytes=size, sql_sha256=digest, roles=[],
        portrait=PORTRAIT, **rest,
    )  # fmt: skip


def test_a_file_proves_itself(tmp_path: Path) -> None:
    sql = tmp_path / "sql"
    sql.write_bytes(b"SELECT 1;\n" * 200_000 + dumpfile.COMPLETE + b"\n--\n\n")
    path = tmp_path / "n.sql.gz"
    written = dumpfile.write(["cat", str(sql)], path, 9, told)
    assert dumpfile.check(path) == written
    assert gzip.decompress(path.read_bytes()).startswith(sql.read_bytes())
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RefusedError):
        dumpfile.check(path)


@pytest.mark.parametrize("argv", [["sh", "-c", "echo half; exit 3"], ["echo", "half"], ["no-such-program"]])
def test_a_dump_that_ends_early_leaves_no_file(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(BackupError):
        dumpfile.write(argv, tmp_path / "n.sql.gz", 9, told)
    assert list(tmp_path.iterdir()) == []


def test_the_words_of_a_program_that_failed_are_its_first_complaint() -> None:
    with pytest.raises(BackupError, match=r"^It: psql: error: no such table$"):
        process.run(["sh", "-c", "echo note >&2; echo 'psql: error: no such table' >&2; echo bye >&2; exit 1"], "It")


@pytest.mark.parametrize(
    ("then", "now", "left"),
    [("15.18", "15.18", 3), ("15.17", "15.18", 2), ("15.18 (Debian)", "16.1", 1)],
)
def test_what_another_version_writes_differently_is_no_difference(then: str, now: str, left: int) -> None:
    reasons = ["the schema is another one", "public.a has other content", "public.b has 1 rows instead of 2"]
    assert comparable(reasons, then, now) == reasons[3 - left :]


def test_the_checksum_of_a_long_dump_is_that_of_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the end is held in memory."""
    monkeypatch.setattr(dumpfile, "LONGEST_MANIFEST", 100_000)
    test_a_file_proves_itself(tmp_path)
