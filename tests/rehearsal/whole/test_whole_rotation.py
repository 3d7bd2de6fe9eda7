"""Credentials change while the stack is asked, and whoever is cut off goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from rehearsal.load import asking
from rehearsal.rotating import Rotation, secrets_now
from rehearsal.whole import WholeStack
from rehearsal.workspace import ROOT

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]

SECRETS = "/opt/neurmatic/infrastructure/secrets"
LOGINS = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname ~ 'prod_' AND rolcanlogin"
CONNECTED = (
    "SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity WHERE datname IS NOT NULL AND usename ~ '_[ab]$'"
)


def places(whole: WholeStack) -> dict[str, dict[str, str]]:
    return dict(json.loads(whole.machine.ssh(f"sudo cat {SECRETS}/redis/places.json").stdout))


def takes(whole: WholeStack, password: str) -> bool:
    """Whether Redis does; by standard input, as the password is nobody's business."""
    told = f"AUTH default {password}\nPING\n"
    said = whole.machine.ssh("sudo docker exec -i neurmatic-redis-production redis-cli", stdin=told).stdout
    return said.split()[-1:] == ["PONG"]


def lets_in(whole: WholeStack, login: str, password: str) -> bool:
    """Whether PostgreSQL does, by TCP."""
    client = "sudo docker exec -i neurmatic-postgres-production sh -c "
    ask = f'psql -h $(hostname -i) -U {login} -d neurmatic_production -Atc "SELECT 1"'
    script = f"'read -r PGPASSWORD; export PGPASSWORD; {ask}'"
    return whole.machine.ssh(client + script, stdin=f"{password}\n", check=False).stdout.strip() == "1"


def test_database_and_redis_rotate_and_nobody_notices(whole: WholeStack, rotation: Rotation) -> None:
    assert rotation.done.returncode == 0, rotation.done.stdout[-3000:] + rotation.done.stderr[-3000:]
    assert rotation.seen.total > 1000
    assert not rotation.seen.failed
    ledger = whole.ledger()
    assert not [key for key in rotation.seen.written if key not in ledger]
    assert whole.sql(LOGINS) == "neurmatic_prod_b"
    assert whole.sql(CONNECTED) == "neurmatic_prod_b"
    assert {place: each["generation"] for place, each in places(whole).items()} == {"b": "2"}
    now = secrets_now(whole)
    old, new = rotation.before["credentials-postgres.result"], now["credentials-postgres-2.result"]
    assert not lets_in(whole, "neurmatic_prod_a", old)
    assert lets_in(whole, "neurmatic_prod_b", new)
    assert not takes(whole, rotation.before["credentials-redis.result"])
    assert takes(whole, now["credentials-redis-2.result"])


def test_what_is_not_rotated_stays(whole: WholeStack, rotation: Rotation) -> None:
    now = secrets_now(whole)
    changed = {name for name in {*now, *rotation.before} if now.get(name) != rotation.before.get(name)}
    assert {name.partition(".")[0] for name in changed} == {
        f"credentials-{name}{version}" for name in ("postgres", "redis") for version in ("", "-2")
    }


def test_what_a_migration_makes_belongs_to_the_owner(whole: WholeStack) -> None:
    owners = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'"
    assert whole.sql(owners) == "neurmatic_prod"
    assert whole.sql("SHOW is_superuser") == "off"


def test_the_list_shows_what_was_rotated_and_no_value(whole: WholeStack, rotation: Rotation) -> None:
    listed = whole.infra("credentials", "--json")
    assert listed.returncode == 0, listed.stderr
    found = {each["name"]: each for each in json.loads(listed.stdout)}
    assert found["postgres"]["age_days"] == 0
    assert {"redis", "uploads", "dumps", "cloudflare_api_token", "deploy_key"} <= set(found)
    assert not [name for name, value in secrets_now(whole).items() if value in listed.stdout]


@pytest.mark.long
@pytest.mark.parametrize("name", ["uploads", "dumps"])
def test_an_aws_key_rotates_and_nobody_notices(whole: WholeStack, name: str) -> None:
    before = secrets_now(whole)
    with asking(whole.target(), f"rotate-{name}") as seen:
        done = whole.infra("rotate", name, "--yes")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not seen.failed
    after = secrets_now(whole)
    assert f"storage-{name}-key.secret" in before
    assert f"storage-{name}-key.secret" not in after
    assert f"storage-{name}-key-2.secret" in after


@pytest.mark.long
def test_signing_secrets_log_everyone_out_and_say_so(whole: WholeStack) -> None:
    refused = whole.infra("rotate", "jwt", answer="n\n")
    assert refused.returncode == 1
    assert "Everyone is logged out" in refused.stderr
    with asking(whole.target(), "rotate-jwt") as seen:
        done = whole.infra("rotate", "jwt", "jwt_refresh", "session", "--yes")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not seen.failed


@pytest.mark.long
def test_killed_at_any_point_the_same_command_completes_it(whole: WholeStack, rotation: Rotation) -> None:
    """At its first steps, while both logins are valid, and while new backends stand beside the old ones."""

    def accepted() -> bool:
        return len(whole.sql(LOGINS).split()) == 2

    def doubled() -> bool:
        return len([name for name in whole.containers() if "backend" in name]) > 2

    moments: list[Callable[[], bool]] = [lambda: True, accepted, doubled]
    with asking(whole.target(), "killed") as seen:
        for moment in moments:
            kill_when(moment, whole, "postgres")
            done = whole.infra("rotate", "postgres", "--yes")
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            assert len(whole.sql(LOGINS).split()) == 1
            assert whole.sql(CONNECTED) == whole.sql(LOGINS)
    assert not seen.failed
    assert len(whole.containers()) == 6


def kill_when(happened: Callable[[], bool], whole: WholeStack, name: str) -> None:
    whole.prepared()
    place = ["--stack", "production", "--rehearsal", "--name", whole.name, name, "--yes"]
    argv = [sys.executable, "-m", "ops", "rotate", *place]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(argv, cwd=ROOT, stdout=nowhere, stderr=nowhere, start_new_session=True)
    time.sleep(15)
    while process.poll() is None and not happened():
        time.sleep(0.2)
    assert process.poll() is None, "It was over before it could be killed."
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
