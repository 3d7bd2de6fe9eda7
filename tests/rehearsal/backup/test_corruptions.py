"""Every kind of damage is refused before anything is touched: each is made from a good backup, which is accepted."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from backup_stage import BUCKET, DATABASE, TOOLS, Stage

from components.backup.onhost import settings as known
from components.backup.onhost.choose import judged
from components.backup.onhost.dumpfile import MARK, Manifest, manifest_from
from components.backup.onhost.problem import RefusedError

pytestmark = pytest.mark.rehearsal
MAJOR = 15


@dataclass(frozen=True)
class Good:
    """A real backup, taken apart."""

    name: str
    data: bytes
    sql: bytes
    manifest: Manifest
    recipient: str
    identity: Path
    stranger: Path
    sealed: bytes

    def packed(self, sql: bytes | None = None, **changes: Any) -> bytes:
        """As a forger without care would write it: the checksum of what was changed is left as it was."""
        told = replace(self.manifest, **changes)
        return gzip.compress(self.sql if sql is None else sql) + gzip.compress(told.line())


def flipped(data: bytes, at: float) -> bytes:
    where = min(int(len(data) * at), len(data) - 1)
    return data[:where] + bytes([data[where] ^ 0x10]) + data[where + 1 :]


def first_member(data: bytes) -> bytes:
    return data[: data.rindex(b"\x1f\x8b\x08")]


Damage = Callable[[Good], bytes]
PLAIN: dict[str, Damage] = {
    "empty": lambda good: b"",
    "gzip of nothing": lambda good: gzip.compress(b""),
    "no gzip at all": lambda good: good.sql,
    "bit flip in the header": lambda good: flipped(good.data, 0),
    "bit flip early": lambda good: flipped(good.data, 0.1),
    "bit flip in the middle": lambda good: flipped(good.data, 0.5),
    "bit flip at the end": lambda good: flipped(good.data, 0.9999),
    "half of it": lambda good: good.data[: len(good.data) // 2],
    "one byte short": lambda good: good.data[:-1],
    "a disk's zeros in it": lambda good: good.data[:4096] + bytes(4096) + good.data[8192:],
    "garbage behind it": lambda good: good.data + b"garbage",
    "twice in a row": lambda good: good.data + good.data,
    "a second dump before it": lambda good: gzip.compress(b"DROP TABLE ledger;\n") + good.data,
    "SQL behind it": lambda good: good.data + gzip.compress(b"DROP TABLE ledger;\n"),
    "without its last line": lambda good: first_member(good.data),
    "its last line alone": lambda good: gzip.compress(good.manifest.line()),
    "last line of another backup": lambda good: good.packed(sql_sha256="0" * 64),
    "one value changed": lambda good: good.packed(good.sql.replace(b"item 77\t", b"item 78\t")),
    "a row missing": lambda good: good.packed(re.sub(rb"\n4999\t[^\n]*", b"", good.sql)),
    "cut off before its end": lambda good: good.packed(good.sql[: good.sql.rindex(b"-- PostgreSQL database dump com")]),
    "an older backup under a new name": lambda good: good.packed(name="neurmatic_20200101_020000.sql.gz"),
    "another system's": lambda good: good.packed(system="neuropilot"),
    "another database's": lambda good: good.packed(database="staging"),
    "from a newer PostgreSQL": lambda good: good.packed(server="99.1"),
    "stale": lambda good: good.packed(taken="2020-01-01T02:00:00+00:00"),
    "a last line that is no JSON": lambda good: gzip.compress(good.sql) + gzip.compress(MARK + b"{oops\n"),
    "a format of the future": lambda good: good.packed(format=99),
}
SEALED: dict[str, Damage] = {
    "sealed to somebody else": lambda good: good.sealed,
    "sealed, bit flip in the header": lambda good: flipped(good.sealed, 0.001),
    "sealed, bit flip": lambda good: flipped(good.sealed, 0.6),
    "sealed, cut off": lambda good: good.sealed[:-64],
    "not sealed at all": lambda good: good.data,
}


@pytest.fixture(scope="module")
def good(stage_of_session: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Good]:
    stage_of_session.forget()
    stage_of_session.good("backup")
    (name,) = stage_of_session.names()
    data = (stage_of_session.backups / name).read_bytes()
    sql, _, line = gzip.decompress(data).rpartition(MARK)
    folder = tmp_path_factory.mktemp("keys")
    own, stranger = folder / "own", folder / "stranger"
    environment = {**os.environ, "PATH": ":".join([*TOOLS, os.environ["PATH"]])}

    def tool(*argv: str, stdin: bytes = b"") -> bytes:
        return subprocess.run(argv, input=stdin, capture_output=True, check=True, env=environment).stdout

    for path in (own, stranger):
        path.write_bytes(tool("age-keygen"))
    recipient = tool("age-keygen", "-y", str(own)).decode().strip()
    sealed = tool("age", "--recipient", recipient, stdin=data)
    yield Good(name, data, sql, manifest_from(line), recipient, own, stranger, sealed)
    stage_of_session.forget()


def judge(stage: Stage, good: Good, folder: Path, data: bytes, sealed: bool, identity: Path | None) -> Manifest:
    path = folder / (f"{good.name}.age" if sealed else good.name)
    path.write_bytes(data)
    return judged(known.Settings(**stage.settings), path, identity, MAJOR, latest=True)


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", ":".join([*TOOLS, os.environ["PATH"]]))


def test_what_they_are_made_from_is_accepted(stage_of_session: Stage, good: Good, tmp_path: Path) -> None:
    for data, sealed in ((good.data, False), (good.packed(), False), (good.sealed, True)):
        told = judge(stage_of_session, good, tmp_path, data, sealed, good.identity if sealed else None)
        assert told == good.manifest


@pytest.mark.parametrize("kind", PLAIN)
def test_damaged(stage_of_session: Stage, good: Good, tmp_path: Path, kind: str) -> None:
    with pytest.raises(RefusedError) as refused:
        judge(stage_of_session, good, tmp_path, PLAIN[kind](good), False, None)
    assert len(str(refused.value)) > 20


@pytest.mark.parametrize("kind", SEALED)
def test_damaged_and_sealed(stage_of_session: Stage, good: Good, tmp_path: Path, kind: str) -> None:
    identity = good.stranger if "somebody else" in kind else good.identity
    with pytest.raises(RefusedError):
        judge(stage_of_session, good, tmp_path, SEALED[kind](good), True, identity)


def test_a_forger_with_care_is_found_by_the_load(stage_of_session: Stage, good: Good, tmp_path: Path) -> None:
    """Checksum and length made to fit: only a database that was really restored can tell."""
    import hashlib  # noqa: PLC0415

    before = stage_of_session.databases()
    kinds = {
        "rows": re.sub(rb"\n4999\t[^\n]*", b"", good.sql),
        "other content": good.sql.replace(b"item 77\t", b"item 78\t"),
        "schema": good.sql.replace(b"SELECT 2 * n", b"SELECT 3 * n"),
    }
    for words, sql in kinds.items():
        assert sql != good.sql
        digest = hashlib.sha256(sql).hexdigest()
        path = tmp_path / good.name
        path.write_bytes(good.packed(sql, sql_sha256=digest, sql_bytes=len(sql)))
        said = stage_of_session.bad("restore", str(path), "--yes")
        assert words in said
        assert f"{DATABASE} is as it was" in said
    assert stage_of_session.databases() == before


def test_a_swapped_object_in_the_bucket_is_refused(stage_of_session: Stage, good: Good) -> None:
    """Whoever holds the account's key puts one dump in another's place."""
    other = "neurmatic_20260101_020000.sql.gz"
    stage_of_session.client().put_object(Bucket=BUCKET, Key=f"database/{other}", Body=good.data)
    said = stage_of_session.bad("restore", other, "--yes")
    assert f"holds the content of {good.name}" in said
    assert stage_of_session.databases() == [DATABASE]
