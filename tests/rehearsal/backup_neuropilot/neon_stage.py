"""A PostgreSQL elsewhere, as Neon has it: version 17, TLS alone, an owner who is no superuser; a folder for rclone, and
the scripts as they are shipped. What the application's migration makes is made by the role that owns the schema.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.backup.items import modules, wrapper
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.sinks.debian import program
from rehearsal.sinks.tls import Authority

LIVE, STAGING = "neuropilot_inventory", "neuropilot_staging"
OWNER, OWNERS = "neondb_owner", "owners-own-password-of-the-rehearsal"
MIGRATOR, APP, BACKUP = "migrator_user", "app_user", "backup_user"
PASSWORDS = {name: f"{name}-{'x' * 40}" for name in (MIGRATOR, APP, BACKUP)}
CORE = ("app_user", "item", "location", "inventory_count", "movement", "purchase_order", "purchase_order_line")
# What Neon's own superuser does for whoever makes a project there.
PROVIDER = f"""
CREATE ROLE neon_superuser CREATEDB CREATEROLE NOLOGIN REPLICATION BYPASSRLS;
GRANT pg_read_all_data, pg_write_all_data TO neon_superuser;
CREATE ROLE {OWNER} LOGIN INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION PASSWORD '{OWNERS}' IN ROLE neon_superuser;
CREATE DATABASE {LIVE} OWNER {OWNER};
CREATE DATABASE {STAGING} OWNER {OWNER};
"""
TLS = {"ssl": "on", "ssl_cert_file": "/tls/certificate", "ssl_key_file": "/tls/key"}
POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON {table} USING
  (owner_id = current_setting('app.user_id', true)::uuid OR current_setting('app.role', true) = 'admin');
"""
MIGRATION = """
CREATE EXTENSION pgcrypto;
CREATE TABLE app_user (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner_id uuid, mail text);
CREATE TABLE item (id bigserial PRIMARY KEY, owner_id uuid NOT NULL, name text NOT NULL, price numeric(10, 2));
CREATE TABLE location (id bigserial PRIMARY KEY, owner_id uuid, name text);
CREATE TABLE inventory_count (id bigserial PRIMARY KEY, owner_id uuid, item bigint REFERENCES item, n int);
CREATE TABLE movement (id bigserial PRIMARY KEY, owner_id uuid, item bigint REFERENCES item, n int);
CREATE TABLE purchase_order (id bigserial PRIMARY KEY, owner_id uuid, made timestamptz DEFAULT '2026-01-01');
CREATE TABLE purchase_order_line (id bigserial PRIMARY KEY, owner_id uuid, at bigint REFERENCES purchase_order);
CREATE TABLE audit_log (id bigserial PRIMARY KEY, owner_id uuid, said text NOT NULL);
CREATE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'audit_log only grows' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION only_grows();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION only_grows();
CREATE SCHEMA reports;
CREATE TABLE reports.monthly (month text, n int);
INSERT INTO reports.monthly VALUES ('2026-01', 7);
INSERT INTO item (owner_id, name, price) SELECT ('00000000-0000-0000-0000-' || lpad((n % 7)::text, 12, '0'))::uuid,
  'item ' || n, n % 100 / 7.0 FROM generate_series(1, 3000) n;
INSERT INTO audit_log (said) VALUES ('made');
"""


# On a server they are packages; here they need not be installed.
TOOLS = [
    str(Path(program(name, package)).parent)
    for name, package in (("gpg", "gpg"), ("rclone", "rclone"), ("pigz", "pigz"))
]


@dataclass
class NeonStage:
    root: Path
    postgres: Container
    settings: dict[str, Any]

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def remote(self) -> Path:
        return self.root / "remote" / "backups"

    def run(self, verb: str, *arguments: str, answer: str = "", **changes: Any) -> subprocess.CompletedProcess[str]:
        self.write_settings(changes)
        argv, environment = self.command(verb, *arguments), dict(self.environment)
        return subprocess.run(
            argv, input=answer, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [str(self.root / f"{verb}.sh"), *arguments]

    @property
    def environment(self) -> Mapping[str, str]:
        path = [str(self.root / "watched"), *TOOLS, os.environ["PATH"]]
        return {**os.environ, "PATH": ":".join(dict.fromkeys(path))}

    def write_settings(self, changes: Mapping[str, Any]) -> None:
        merged = {
            key: {**value, **changes[key]} if isinstance(value, dict) and key in changes else changes.get(key, value)
            for key, value in {**changes, **self.settings}.items()
        }
        (self.root / "backup.json").write_text(json.dumps(merged))

    def good(self, verb: str, *arguments: str, **given: Any) -> str:
        done = self.run(verb, *arguments, **given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def bad(self, verb: str, *arguments: str, **given: Any) -> str:
        done = self.run(verb, *arguments, **given)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def sql(self, query: str, database: str = LIVE, user: str = "postgres") -> str:
        argv = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database)
        become = f"SET SESSION AUTHORIZATION {user};\n" if user != "postgres" else ""
        return self.postgres.run(*argv, stdin=f"{become}{query}".encode()).strip()

    def logged_in(self, user: str, password: str, query: str, database: str = LIVE) -> str:
        """By password and TLS, as an application does."""
        address = f"postgresql://{user}:{password}@{self.settings['address']['host']}/{database}?sslmode=require"
        short = ("-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse")
        return self.postgres.run("psql", "-XAtq", *short, address, stdin=query.encode()).strip()

    def owner(self, database: str = LIVE) -> str:
        return f"postgresql://{OWNER}:{OWNERS}@{self.settings['address']['host']}/{database}?sslmode=require"

    def owner_file(self, database: str = LIVE) -> str:
        path = self.root / f"owner-{database}"
        path.write_text(f"{self.owner(database)}\n")
        return str(path)

    def databases(self) -> list[str]:
        return self.sql("SELECT datname FROM pg_database WHERE datname <> 'postgres' AND NOT datistemplate").split()

    def roles(self, database: str = LIVE, **changes: Any) -> str:
        told = {"address": self.owner(database), "passwords": PASSWORDS}
        return self.good("database", "roles", answer=json.dumps(told), database=database, **changes)

    def status(self) -> dict[str, Any]:
        return dict(json.loads((self.backups / "status.json").read_text()))

    def told(self) -> list[str]:
        path = self.root / "told"
        return path.read_text().splitlines() if path.exists() else []

    def names(self) -> list[str]:
        return sorted(path.name for path in self.backups.glob("neuropilot_*.gpg"))

    def objects(self) -> list[str]:
        return sorted(path.name for path in self.remote.iterdir()) if self.remote.is_dir() else []

    def forget(self) -> None:
        """Everything but the database."""
        for folder in (self.backups, self.remote):
            for path in folder.rglob("*") if folder.is_dir() else ():
                if path.is_file():
                    path.unlink()
        for name in ("told", "said"):
            (self.root / name).unlink(missing_ok=True)


@contextmanager
def neon_stage(root: Path) -> Iterator[NeonStage]:
    authority = Authority("rehearsal")
    with server(authority) as postgres:
        (root / "authority.pem").write_bytes(authority.certificate)
        built = NeonStage(root, postgres, settings(root, postgres.address))
        ship(root)
        built.sql(PROVIDER, "postgres")
        for database in (LIVE, STAGING):
            built.roles(database)
        migrate(built)
        yield built


@contextmanager
def server(authority: Authority, name: str = "") -> Iterator[Container]:
    """Whoever comes from elsewhere comes with TLS and a password, or not at all."""
    flags = ["--env", "POSTGRES_PASSWORD=x", "--tmpfs", "/tls:uid=70,gid=70"]
    hba = b"local all all trust\nhost all all 127.0.0.1/32 trust\nhostssl all all all scram-sha-256\n"
    options = ("-c", "fsync=off", "-c", "hba_file=/hba")
    image = ensure_image("postgres17").tag
    with throwaway(image, "postgres", *options, flags=flags, files={"/hba": hba}) as postgres:
        ready = ("pg_isready", "-q", "-h", "127.0.0.1")
        postgres.wait_until(lambda: postgres.run(*ready) == "", "PostgreSQL answers")
        issued = authority.issue([name or postgres.address])
        for file, text in (("certificate", issued.certificate), ("key", issued.key)):
            postgres.run("sh", "-c", f"umask 077; cat >/tls/{file}", user="70", stdin=text)
        statements = "".join(f"ALTER SYSTEM SET {key} = '{value}';" for key, value in TLS.items())
        postgres.run("psql", "-q", "-U", "postgres", stdin=f"{statements} SELECT pg_reload_conf();".encode())
        yield postgres


def settings(root: Path, host: str) -> dict[str, Any]:
    return {
        "system": "neuropilot",
        "database": LIVE,
        "user": BACKUP,
        "folder": str(root / "backups"),
        "scratch": str(root / "scratch"),
        "log": str(root / "backup.log"),
        "notify": str(root / "notify"),
        "patience": 3,
        "scratch_memory": 400,
        "address": {
            "host": host,
            "port": 5432,
            "user": BACKUP,
            "ssl_mode": "verify-full",
            "authority": str(root / "authority.pem"),
            "password": str(root / "pgpass"),
            "image": ensure_image("postgres17").tag,
        },
        "drive": {
            "remote": "onedrive:backups",
            "config": str(root / "rclone.conf"),
            "working": str(root / "state" / "rclone.conf"),
            "kept": 30,
        },
        "gpg": {"fingerprint": "", "key": str(root / "key.asc")},
        "guarded": {
            "tables": CORE,
            "log": "audit_log",
            "variables": ["app.user_id", "app.role"],
            "app": APP,
            "migrator": MIGRATOR,
        },
    }


def ship(root: Path) -> None:
    """As the converge would; what tells the operators writes down what it was given."""
    for path, text in modules().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for verb in ("backup", "restore", "database"):
        (root / f"{verb}.sh").write_text(wrapper(verb))
        (root / f"{verb}.sh").chmod(0o755)
    (root / "notify").write_text(f'#!/bin/sh\ncat >/dev/null\nshift\necho "$@" >>{root}/told\n')
    (root / "notify").chmod(0o755)
    for folder in ("backups", "remote", "state", "watched"):
        (root / folder).mkdir()
    for name in ("docker", "gpg", "rclone"):
        watch(root, name)
    (root / "rclone.conf").write_text(f"[onedrive]\ntype = alias\nremote = {root}/remote\n")
    (root / "pgpass").write_text(f"*:*:*:{BACKUP}:{PASSWORDS[BACKUP]}\n")
    (root / "pgpass").chmod(0o400)


def watch(root: Path, name: str) -> None:
    """What is said on command lines, which everybody on a server can read."""
    path = root / "watched" / name
    real = next(shutil.which(name, path=each) for each in (*TOOLS, os.environ["PATH"]) if shutil.which(name, path=each))
    path.write_text(f'#!/bin/sh\necho "{name} $*" >>{root}/said\nexec {real} "$@"\n')
    path.chmod(0o755)


def migrate(stage: NeonStage, database: str = LIVE) -> None:
    """The application's own migration, as the role that is for that."""
    stage.logged_in(MIGRATOR, PASSWORDS[MIGRATOR], migration(), database)


def migration() -> str:
    return MIGRATION + "".join(POLICY.format(table=name) for name in (*CORE, "audit_log"))


@dataclass(frozen=True)
class Pair:
    """A key of gpg: the public half, and the private one, which is elsewhere."""

    fingerprint: str
    public: str
    private: Path


def pair(folder: Path, kind: str = "rsa4096", passphrase: str = "", expires: str = "0") -> Pair:
    folder.mkdir(mode=0o700)
    main, part = ("ed25519", "cv25519") if kind == "ed25519" else (kind, kind)
    own = ["--batch", "--no-tty", "--homedir", str(folder), "--pinentry-mode", "loopback", "--passphrase", passphrase]

    def gpg(*words: str) -> str:
        argv = [program("gpg", "gpg"), *own, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    gpg("--quick-generate-key", "backups of a rehearsal", main, "cert", expires)
    listed = gpg("--with-colons", "--list-keys").splitlines()
    fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
    gpg("--quick-add-key", fingerprint, part, "encr", expires)
    private = folder / "private.asc"
    private.write_text(gpg("--armor", "--export-secret-keys", fingerprint))
    public = gpg("--armor", "--export", fingerprint)
    subprocess.run(["gpgconf", "--homedir", str(folder), "--kill", "all"], check=False, capture_output=True)
    return Pair(fingerprint, public, private)
