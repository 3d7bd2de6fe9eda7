"""NeuroPilot's production with a server: one `up` makes roles and runner, and the operator's verbs do the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from neon_stage import LIVE, OWNER, OWNERS, PROVIDER, Pair, migration, server

from ops import engine
from ops.systems import secrets_of
from ops.target import PROJECTS
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.sinks.tls import Authority
from rehearsal.stackfile import on
from rehearsal.workspace import ROOT, WORKSPACES, Workspace, server_on

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow, pytest.mark.long]
NAME, DATABASE = "test-neuropilot", "database.neuropilot.invalid"
PACKAGES = ("docker.io", "busybox-static", "gpg", "gpg-agent", "pigz", "rclone", "ca-certificates")
SCRIPTS = "/opt/neurmatic/infrastructure/scripts"
RCLONE = "[onedrive]\ntype = alias\nremote = /srv/onedrive\n"


@dataclass
class Production:
    machine: Machine
    workspace: Workspace
    postgres: Container
    folder: Path

    def infra(self, verb: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        where = ["--system", "neuropilot", "--stack", "production", "--rehearsal", "--name", NAME]
        command = [sys.executable, "-m", "ops", verb, *where, *arguments]
        return subprocess.run(command, cwd=ROOT, input=answer, capture_output=True, text=True, timeout=600, check=False)

    def good(self, verb: str, *arguments: str, answer: str = "") -> str:
        done = self.infra(verb, *arguments, answer=answer)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    def sql(self, query: str, database: str = LIVE) -> str:
        argv = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database)
        return self.postgres.run(*argv, stdin=query.encode()).strip()


@pytest.fixture(scope="module")
def production(
    engine_answers: None, offline_key: Pair, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    folder, authority = tmp_path_factory.mktemp("production"), Authority("rehearsal")
    take_down(NAME)
    shutil.rmtree(WORKSPACES / NAME, ignore_errors=True)
    machine = Machine.up(NAME, Order(memory_mb=2000, packages=PACKAGES))
    try:
        with server(authority, DATABASE) as postgres:
            (folder / "authority.pem").write_bytes(authority.certificate)
            (folder / "key.asc").write_text(offline_key.public)
            workspace = Workspace(PROJECTS["neuropilot"], NAME, machine, settings(machine, folder, offline_key))
            made = Production(machine, workspace, postgres, folder)
            made.sql(PROVIDER, "postgres")
            introduce(machine, postgres)
            tell(workspace)
            yield made
    finally:
        take_down(NAME)
        shutil.rmtree(WORKSPACES / NAME, ignore_errors=True)


@pytest.fixture(scope="module")
def engine_answers(engine: str) -> None:
    if engine:
        pytest.skip(engine)


def settings(machine: Machine, folder: Path, key: Pair) -> dict[str, Any]:
    host = on(server_on(machine), {}, "neuropilot")["host"]
    database = {
        "host": DATABASE,
        "image": ensure_image("postgres17").tag,
        "authority": str(folder / "authority.pem"),
    }
    return {
        "neuropilot:host": {**host, "ipv4": "192.0.2.20", "packages": ["docker.io", "ufw", "fail2ban"]},
        "neuropilot:backup": {
            "database": database,
            "public_key": str(folder / "key.asc"),
            "encrypt_to": key.fingerprint,
        },
    }


def introduce(machine: Machine, postgres: Container) -> None:
    """The machine finds the database by its name, and has the image that a registry would give it."""
    line = f"{postgres.address} {DATABASE}"
    machine.ssh(f"echo '{line}' | sudo tee -a /etc/hosts >/dev/null")
    machine.ssh("sudo mkdir -p /srv/onedrive")
    image = ensure_image("postgres17").tag
    load = ["docker", "exec", "-i", machine.record.container, "docker", "load"]
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        subprocess.run(load, stdin=saving.stdout, check=True, capture_output=True)


def tell(workspace: Workspace) -> None:
    """The two secrets that have to be more than stand-ins."""
    environment = workspace.environment(engine.environment(os.environ, engine.ensure(lambda _: None)))
    workspace.prepare("production", environment, secrets_of("neuropilot"))
    owner = f"postgresql://{OWNER}:{OWNERS}@{DATABASE}/{LIVE}?sslmode=require"
    for key, value in (("neon_owner_url", owner), ("rclone_config", RCLONE)):
        command = ["pulumi", "config", "set", "--secret", "--stack", "production", f"neuropilot:{key}"]
        subprocess.run(command, cwd=workspace.project, env=environment, input=value, text=True, check=True)


def test_from_one_up_to_a_restore(production: Production, offline_key: Pair) -> None:
    here, private = production, str(offline_key.private)
    here.good("up", "--yes")
    assert here.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ '^(migrator|app|backup)_user$'") == "3"
    assert here.sql("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'backup_user'") == "t"
    assert "none of the core tables yet" in here.good("database")
    here.sql(f"SET SESSION AUTHORIZATION migrator_user; {migration()}")
    assert "tried as each role" in here.good("database")

    here.machine.ssh("sudo systemctl start neuropilot-backup.service")
    there = here.machine.ssh("sudo ls /srv/onedrive/neuropilot-backups").stdout.split()
    (name,) = [each for each in there if each.endswith(".gpg")]
    assert "on the remote, and here" in here.good("backup", "--list")
    here.sql("TRUNCATE item CASCADE")
    here.good("restore", name, "--identity", private, answer=f"{LIVE}\n")
    assert here.sql("SELECT count(*) FROM item") == "3000"
    assert "tried as each role" in here.good("database")

    here.sql("ALTER ROLE backup_user NOBYPASSRLS")
    refused = here.infra("backup")
    assert refused.returncode == 1
    assert "row-level security" in refused.stderr + refused.stdout
    here.good("database", "--repair", "--yes")
    here.good("backup")
    left_nothing(here)


def left_nothing(here: Production) -> None:
    """No owner's address, no private key, no container; and the server is as the stack file says."""
    places = "/opt/neurmatic /run /tmp /var/lib/neurmatic"
    found = f"sudo grep -rlaE -D skip 'neondb_owner:|PRIVATE KEY BLOCK' {places} 2>/dev/null || true"
    assert here.machine.ssh(found).stdout == ""
    assert here.machine.ssh("sudo docker ps --all --quiet").stdout == ""
    modes = here.machine.ssh("sudo find /opt/neurmatic/infrastructure/secrets/backup -type f -printf '%m %u\n'").stdout
    assert set(modes.splitlines()) == {"400 root"}
    assert "no drift" in here.good("drift")
    assert "02:00:00 UTC" in here.machine.ssh("systemctl list-timers --all --no-legend 'neuropilot-backup*'").stdout
