"""A real PostgreSQL, the emulated S3 with the key that the program makes, and the scripts as they are shipped."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from components.backup.items import VERBS, modules, wrapper
from components.storage.identity import backup as rights
from components.storage.policies import document
from rehearsal.clouds import servers
from rehearsal.clouds.servers import Clouds
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.sinks.debian import program

BUCKET, PREFIX, DATABASE, USER = "test-backups", "database/", "shop", "prod"
SHOP = """
CREATE ROLE reader; CREATE ROLE writer LOGIN PASSWORD 'not in a dump'; GRANT reader TO writer;
CREATE SCHEMA stock;
CREATE TABLE stock.item
  (id bigserial PRIMARY KEY, name text NOT NULL, price numeric(10, 2), seen timestamptz, raw bytea);
CREATE TABLE "Odd ""Name" (t text, more jsonb, ratio float8);
CREATE TABLE ledger (n bigserial PRIMARY KEY, word text NOT NULL);
CREATE VIEW stock.cheap AS SELECT * FROM stock.item WHERE price < 5;
CREATE INDEX ON stock.item (name);
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
GRANT SELECT ON stock.item TO reader;
GRANT CONNECT ON DATABASE shop TO reader;
ALTER DATABASE shop SET work_mem = '5MB';
INSERT INTO stock.item (name, price, seen, raw)
  SELECT 'item ' || n, n % 100 / 7.0, '2026-01-01'::timestamptz + n * interval '1 hour', decode(md5(n::text), 'hex')
  FROM generate_series(1, 5000) n;
INSERT INTO "Odd ""Name" VALUES ('a\\b	c
d', '{"b": [1, 2], "a": null}', 0.1), (NULL, NULL, 'NaN');
INSERT INTO "Odd ""Name" VALUES ('-- neurmatic-backup: {}', '{}', 1);
INSERT INTO ledger (word) VALUES ('first');
SELECT lo_from_bytea(0, 'a large object');
"""


# On a server they are packages; here they need not be installed.
TOOLS = [str(Path(program(name, package)).parent) for name, package in (("age", "age"), ("pigz", "pigz"))]


@dataclass
class Stage:
    root: Path
    postgres: Container
    clouds: Clouds
    settings: dict[str, Any]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    def run(self, verb: str, *arguments: str, answer: str = "", **changes: Any) -> subprocess.CompletedProcess[str]:
        self.write_settings(changes)
        return subprocess.run(
            self.command(verb, *arguments),
            input=answer,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [str(self.root / f"{verb}.sh"), *arguments]

    @property
    def environment(self) -> Mapping[str, str]:
        path = ":".join(dict.fromkeys([*TOOLS, os.environ["PATH"]]))
        return {**os.environ, "PATH": path, "AWS_ENDPOINT_URL_S3": self.clouds.aws, **self.variables}

    def write_settings(self, changes: Mapping[str, Any]) -> None:
        (self.root / "backup.json").write_text(json.dumps({**self.settings, **changes}))

    def good(self, verb: str, *arguments: str, **given: Any) -> str:
        done = self.run(verb, *arguments, **given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def bad(self, verb: str, *arguments: str, **given: Any) -> str:
        done = self.run(verb, *arguments, **given)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def sql(self, query: str, database: str = DATABASE) -> str:
        argv = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database)
        return self.postgres.run(*argv, stdin=query.encode()).strip()

    def databases(self) -> list[str]:
        return self.sql("SELECT datname FROM pg_database WHERE datname <> 'postgres' AND NOT datistemplate").split()

    def status(self) -> dict[str, Any]:
        return dict(json.loads((self.backups / "status.json").read_text()))

    def told(self) -> list[str]:
        """What the operators were told: severity and subject, oldest first."""
        path = self.root / "told"
        return path.read_text().splitlines() if path.exists() else []

    def names(self) -> list[str]:
        return sorted(path.name for path in self.backups.glob("neurmatic_*.sql.gz"))

    def client(self) -> Any:
        """With the account's own key: it may do everything."""
        key = {"aws_access_key_id": self.clouds.aws_key, "aws_secret_access_key": self.clouds.aws_secret}
        return boto3.client("s3", endpoint_url=self.clouds.aws, region_name="eu-west-1", **key)

    def objects(self) -> list[str]:
        return [each["Key"] for each in self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def forget(self) -> None:
        """Everything but the database."""
        self.clouds.clear_faults()
        for path in self.backups.iterdir():
            if path.is_file():
                path.unlink()
        for key in self.objects():
            self.client().delete_object(Bucket=BUCKET, Key=key)
        (self.root / "told").unlink(missing_ok=True)


@contextmanager
def stage(root: Path) -> Iterator[Stage]:
    flags = [*("--env", f"POSTGRES_USER={USER}", "--env", f"POSTGRES_DB={DATABASE}"), *("--env", "POSTGRES_PASSWORD=x")]
    name = f"test-backup-{uuid.uuid4().hex[:8]}"
    clouds = servers.start(root / "clouds", owner=os.getpid())
    options = [*flags, "--name", name, "--user", "70:70"]
    try:
        with throwaway(ensure_image("postgres").tag, "-c", "fsync=off", flags=options) as postgres:
            answers = ("pg_isready", "-q", "-h", "127.0.0.1", "-U", USER)
            postgres.wait_until(lambda: postgres.run(*answers) == "", "PostgreSQL answers")
            built = Stage(root, postgres, clouds, settings(root, name))
            ship(root)
            make_bucket(built)
            built.sql(SHOP)
            yield built
    finally:
        servers.stop(root / "clouds")


def settings(root: Path, container: str) -> dict[str, Any]:
    return {
        "system": "neurmatic",
        "container": container,
        "database": DATABASE,
        "user": USER,
        "folder": str(root / "backups"),
        "scratch": str(root / "scratch"),
        "log": str(root / "backup.log"),
        "notify": str(root / "notify"),
        "bucket": BUCKET,
        "prefix": PREFIX,
        "region": "eu-west-1",
        "key_file": str(root / "key.json"),
        "patience": 5,
        "scratch_memory": 400,
    }


def ship(root: Path) -> None:
    """As the converge would; what tells the operators writes down what it was given."""
    for path, text in modules().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for verb in VERBS:
        (root / f"{verb}.sh").write_text(wrapper(verb))
        (root / f"{verb}.sh").chmod(0o755)
    (root / "notify").write_text(f'#!/bin/sh\ncat >/dev/null\nshift\necho "$@" >>{root}/told\n')
    (root / "notify").chmod(0o755)
    (root / "backups").mkdir()


def make_bucket(stage: Stage) -> None:
    """Versioned, and with the key that the program gives to a server."""
    where = {"LocationConstraint": "eu-west-1"}
    stage.client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    stage.client().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    own = {"aws_access_key_id": stage.clouds.aws_key, "aws_secret_access_key": stage.clouds.aws_secret}
    iam = boto3.client("iam", endpoint_url=stage.clouds.aws, region_name="eu-west-1", **own)
    iam.create_user(UserName="server")
    policy = document(rights(BUCKET, PREFIX))
    iam.put_user_policy(UserName="server", PolicyName="dumps", PolicyDocument=policy)
    key = iam.create_access_key(UserName="server")["AccessKey"]
    text = json.dumps({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
    (stage.root / "key.json").write_text(text)
