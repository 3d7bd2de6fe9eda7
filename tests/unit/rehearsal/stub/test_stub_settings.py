"""The backend's environment: every mistake is one sentence that names the variable."""

from __future__ import annotations

import pytest

from rehearsal.stub.settings import SettingsError, read_faults, read_settings

GOOD = {
    "DATABASE_URL": "postgresql://prod:p%40ss@postgres:5432/shop?connection_limit=50&pool_timeout=30",
    "REDIS_URL": "redis://:word@redis:6379",
    "JWT_SECRET": "a" * 64,
    "JWT_REFRESH_SECRET": "b" * 64,
    "SESSION_SECRET": "c" * 64,
}


def test_a_prisma_address_is_taken_apart() -> None:
    database = read_settings(GOOD).database
    assert database.dsn == "postgresql://prod:p%40ss@postgres:5432/shop"
    assert (database.pool, database.pool_timeout, database.behind_pgbouncer) == (50, 30.0, False)


def test_pgbouncer_is_noticed() -> None:
    url = GOOD["DATABASE_URL"] + "&pgbouncer=true"
    assert read_settings({**GOOD, "DATABASE_URL": url}).database.behind_pgbouncer


def test_all_missing_variables_are_named_at_once() -> None:
    environment = {name: value for name, value in GOOD.items() if name not in ("REDIS_URL", "JWT_SECRET")}
    with pytest.raises(SettingsError, match=r"variable\(s\): REDIS_URL, JWT_SECRET\."):
        read_settings(environment)


def test_an_empty_variable_is_a_missing_one() -> None:
    with pytest.raises(SettingsError, match="SESSION_SECRET"):
        read_settings({**GOOD, "SESSION_SECRET": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@db/shop"),
        ("DATABASE_URL", "postgresql:///shop"),
        ("PORT", "http"),
        ("PORT", "30.5"),
        ("FAULT_DIE_AFTER", "-1"),
        ("FAULT_ERROR_RATE", "nan"),
        ("FAULT_UNHEALTHY", "yes"),
        ("DRAIN_SECONDS", "inf"),
    ],
)
def test_a_bad_value_is_one_sentence_with_the_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refusal:
        read_settings({**GOOD, name: value})
    assert "\n" not in str(refusal.value)


def test_without_a_word_nothing_is_wrong() -> None:
    faults = read_faults({})
    assert not any(vars(faults).values())


def test_a_fault_can_take_the_port() -> None:
    assert read_settings({**GOOD, "PORT": "3000", "FAULT_PORT": "3999"}).port == 3999
