"""A backup of a database elsewhere comes back: with the key that is lent, into any address, a safety copy first."""

from __future__ import annotations

import pytest
from neon_stage import APP, CORE, LIVE, MIGRATOR, OWNER, PASSWORDS, STAGING, NeonStage, Pair

pytestmark = pytest.mark.rehearsal
ADD = "SET app.role = 'admin'; INSERT INTO location (name) VALUES ('afterwards')"
COUNT = "SELECT count(*) FROM item"


def test_it_becomes_staging_and_then_the_live_database(neon: NeonStage, offline_key: Pair) -> None:
    """As on the day: whoever has the offline key and the owner's address, and nothing else of this server."""
    neon.good("backup")
    (name,) = neon.names()
    own, staging, live = str(offline_key.private), neon.owner_file(STAGING), neon.owner_file()
    assert "give a file with its owner's address" in neon.bad("restore", "--yes", "--identity", own)
    # It can be looked at on the day when the database is gone.
    gone = {"host": "192.0.2.1"}
    assert "is whole" in neon.good("restore", "--check", "--identity", own, address=gone)
    # The rehearsal: production's backup, out of the remote, becomes staging.
    for path in neon.backups.glob("neuropilot_*"):
        path.unlink()
    assert "--identity" in neon.bad("restore", "--latest", "--address", staging, "--yes")
    said = neon.good("restore", "--latest", "--address", staging, "--identity", own, answer=f"{STAGING}\n")
    assert "nothing is missing" in said
    assert neon.sql(COUNT, STAGING) == "3000"
    protected(neon)
    # The live one: what was written since is kept beside it, and in a safety backup.
    neon.logged_in(MIGRATOR, PASSWORDS[MIGRATOR], ADD)
    neon.good("restore", name.removesuffix(".gpg"), "--address", live, "--identity", own, "--yes")
    kept = [each for each in neon.databases() if each.startswith(f"{LIVE}_before_")]
    assert neon.sql("SELECT name FROM location", kept[0]) == "afterwards"
    assert neon.sql("SELECT count(*) FROM location") == "0"
    assert len(neon.names()) == 1, "the safety backup is missing"
    for each in neon.databases():
        if each not in (LIVE, STAGING):
            neon.sql(f'DROP DATABASE "{each}" WITH (FORCE)', "postgres")


def protected(neon: NeonStage) -> None:
    """Owners, grants and policies came along: the application sees its own rows, and no others."""
    one = "SET app.user_id = '00000000-0000-0000-0000-000000000003'; SET app.role = 'user';"
    assert neon.logged_in(APP, PASSWORDS[APP], f"{one} {COUNT}", STAGING) == "429"
    assert neon.logged_in(APP, PASSWORDS[APP], COUNT, STAGING) == "0"
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'reports')"
    assert neon.sql(owners, STAGING) == MIGRATOR
    forced = "SELECT count(*) FROM pg_class WHERE relforcerowsecurity AND relrowsecurity"
    assert neon.sql(forced, STAGING) == str(len(CORE) + 1)
    assert (
        neon.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()", STAGING) == OWNER
    )
