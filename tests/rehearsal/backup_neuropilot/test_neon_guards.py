"""The roles of a database elsewhere, made by an owner who is no superuser; what guards its rows, seen and tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from neon_stage import APP, BACKUP, LIVE, MIGRATOR, PASSWORDS, NeonStage

from components.backup.onhost import guards
from components.backup.onhost.database import Server
from components.backup.onhost.settings import Settings
from rehearsal.docker import DockerError

pytestmark = pytest.mark.rehearsal


@contextmanager
def changed(neon: NeonStage, statement: str, back: str) -> Iterator[None]:
    neon.sql(statement)
    try:
        yield
    finally:
        neon.sql(back)


def looked(neon: NeonStage) -> str:
    """By the role that dumps, as each night."""
    known: Any = Settings(**neon.settings).guarded
    return " ".join(guards.findings(Server(neon.postgres.id, BACKUP), LIVE, known))


def test_each_role_can_do_what_it_is_for_and_no_more(neon: NeonStage) -> None:
    neon.roles()
    refused = {
        MIGRATOR: ("CREATE ROLE more", "DROP DATABASE neuropilot_staging"),
        APP: ("CREATE TABLE more (n int)", "TRUNCATE item", "DELETE FROM audit_log", "SELECT * FROM reports.monthly"),
        BACKUP: (
            "INSERT INTO location (name) VALUES ('x')",
            "SET default_transaction_read_only = off; DELETE FROM item",
        ),
    }
    for role, statements in refused.items():
        for statement in statements:
            with pytest.raises(DockerError, match=r"permission denied|must be owner|read-only|CREATEROLE"):
                neon.logged_in(role, PASSWORDS[role], statement)
    assert neon.logged_in(BACKUP, PASSWORDS[BACKUP], "SELECT count(*) FROM item") == "3000"
    # What a migration makes later is the application's to use and the dump's to read, without another `up`.
    neon.logged_in(MIGRATOR, PASSWORDS[MIGRATOR], "CREATE TABLE later (n int); INSERT INTO later VALUES (1)")
    assert neon.logged_in(APP, PASSWORDS[APP], "UPDATE later SET n = 2 RETURNING n") == "2"
    assert neon.logged_in(BACKUP, PASSWORDS[BACKUP], "SELECT n FROM later") == "2"
    neon.logged_in(MIGRATOR, PASSWORDS[MIGRATOR], "DROP TABLE later")


def test_a_password_is_changed_in_place(neon: NeonStage) -> None:
    other = {**PASSWORDS, APP: "y" * 64}
    told = {"address": neon.owner(), "passwords": other}
    neon.good("database", "roles", answer=json.dumps(told))
    with pytest.raises(DockerError, match="password authentication failed"):
        neon.logged_in(APP, PASSWORDS[APP], "SELECT 1")
    assert neon.logged_in(APP, other[APP], "SELECT 1") == "1"
    neon.roles()
    short = json.dumps({"address": neon.owner(), "passwords": {**PASSWORDS, APP: "short"}})
    assert "32 characters" in neon.bad("database", "roles", answer=short)
    elsewhere = json.dumps({"address": "postgresql://u:p@192.0.2.1/x", "passwords": PASSWORDS})
    assert "compare the secret neon_owner_url" in neon.bad("database", "roles", answer=elsewhere)
    wrong = json.dumps({"address": neon.owner().replace("owners-own", "nobodys"), "passwords": PASSWORDS})
    said = neon.bad("database", "roles", answer=wrong)
    assert "password authentication failed" in said
    assert "nobodys" not in said


def test_all_in_order_is_tried_as_both_roles(neon: NeonStage) -> None:
    assert "in order (by the catalog)" in neon.good("database", "check")
    said = neon.good("database", "check", "--address", neon.owner_file())
    assert "tried as each role" in said
    assert neon.sql("SELECT count(*) FROM audit_log") == "1"


@pytest.mark.parametrize(
    ("statement", "back", "words"),
    [
        (
            "ALTER TABLE item DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE item ENABLE ROW LEVEL SECURITY",
            "Row level security is off on item",
        ),
        (
            "ALTER TABLE item NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE item FORCE ROW LEVEL SECURITY",
            "not forced on item",
        ),
        (
            "ALTER POLICY own ON movement USING (true)",
            "ALTER POLICY own ON movement USING (owner_id = current_setting('app.user_id', true)::uuid "
            "OR current_setting('app.role', true) = 'admin')",
            "None of the policies (own) of movement looks at app.user_id or app.role",
        ),
        ("ALTER ROLE app_user BYPASSRLS", "ALTER ROLE app_user NOBYPASSRLS", "app_user bypasses row level security"),
        ("GRANT migrator_user TO app_user", "REVOKE migrator_user FROM app_user", "member of migrator_user"),
        (
            "ALTER TABLE reports.monthly OWNER TO app_user",
            "ALTER TABLE reports.monthly OWNER TO migrator_user",
            "app_user owns 1 things",
        ),
        ("GRANT TRUNCATE ON item TO app_user", "REVOKE TRUNCATE ON item FROM app_user", "may TRUNCATE item"),
        (
            "ALTER TABLE audit_log DISABLE TRIGGER keep_all",
            "ALTER TABLE audit_log ENABLE TRIGGER keep_all",
            "migrator_user may TRUNCATE audit_log",
        ),
        (
            "ALTER TABLE location RENAME TO places",
            "ALTER TABLE places RENAME TO location",
            "The table location is missing",
        ),
    ],
)
def test_what_is_not_in_order_is_a_sentence(neon: NeonStage, statement: str, back: str, words: str) -> None:
    with changed(neon, statement, back):
        assert words in looked(neon)
    assert looked(neon) == ""


def test_a_trigger_that_stops_nobody_is_found_by_trying(neon: NeonStage) -> None:
    """The catalog is content with it."""
    idle = "CREATE OR REPLACE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
    stops = "RAISE EXCEPTION ''audit_log only grows'' USING ERRCODE = ''insufficient_privilege'';".replace("''", "'")
    with changed(neon, idle.format("RETURN coalesce(NEW, OLD);"), idle.format(stops)):
        assert looked(neon) == ""
        said = neon.bad("database", "check", "--address", neon.owner_file())
        for event in ("UPDATE", "DELETE", "TRUNCATE"):
            assert f"{event} of audit_log by {MIGRATOR} went through (and was rolled back)" in said
        assert f"audit_log by {APP}" not in said
    assert neon.sql("SELECT said FROM audit_log") == "made"


def test_the_daily_backup_tells_when_it_is_off(neon: NeonStage) -> None:
    with changed(neon, "ALTER TABLE item DISABLE ROW LEVEL SECURITY", "ALTER TABLE item ENABLE ROW LEVEL SECURITY"):
        neon.good("backup")
    assert any("critical" in line and "off on item" in line for line in neon.told())
    # The backup is good all the same: it is not the dump that is wrong.
    assert neon.status()["verified"] is True


def test_without_bypassrls_a_dump_is_refused_rather_than_partial(neon: NeonStage) -> None:
    with changed(neon, f"ALTER ROLE {BACKUP} NOBYPASSRLS", f"ALTER ROLE {BACKUP} BYPASSRLS"):
        assert "row-level security" in neon.bad("backup")
    assert neon.objects() == []
    assert LIVE in neon.databases()
