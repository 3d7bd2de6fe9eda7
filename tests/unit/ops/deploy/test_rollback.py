"""Which release a rollback goes back to, and what stands in its way."""

from __future__ import annotations

from typing import Any

import pytest

from ops.deploy.rollback import chosen, crossed, refuse_migrations
from ops.errors import OperatorError


def release(version: str, irreversible: bool = False, at: str = "2026-11-01T10:00:00Z") -> dict[str, Any]:
    images = {kind: f"ghcr.io/o/{kind}@sha256:{version}" for kind in ("backend", "frontend")}
    return {"at": at, "version": version, **images, "irreversible": irreversible}


A, B, C = release("1.4.1"), release("1.4.2", irreversible=True), release("1.4.3")
AGAIN = release("1.4.1", at="2026-11-03T10:00:00Z")


def test_without_a_name_it_is_what_served_last_before() -> None:
    assert chosen([A, B, C], C, None) == B
    assert chosen([A, B, C, AGAIN], AGAIN, None) == C
    # The stack file was changed by hand and nothing of it has ever served.
    assert chosen([A, B, C], {}, None) == C


def test_a_name_is_the_newest_time_that_it_served() -> None:
    assert chosen([A, B, AGAIN, C], C, "1.4.1") == AGAIN


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("1.4.3", "^1.4.3 serves already"),
        ("9.9.9", "^9.9.9 has never served here; releases that have: 1.4.2, 1.4.1"),
    ],
)
def test_a_name_that_leads_nowhere_says_what_there_is(to: str, sentence: str) -> None:
    with pytest.raises(OperatorError, match=sentence):
        chosen([A, B, C], C, to)


def test_with_no_past_there_is_no_way_back() -> None:
    with pytest.raises(OperatorError, match="There is nothing to go back to; releases that have: none"):
        chosen([A], A, None)


def test_a_migration_in_between_is_said_before_anything_happens() -> None:
    assert crossed([A, B, C], A) == [B]
    assert crossed([A, B, C], B) == []
    # Rolled back over it once already: what serves now works with the database as it is.
    assert crossed([A, B, AGAIN, C], AGAIN) == []
    with pytest.raises(OperatorError, match=r"migrations of 1.4.2 cannot be undone.*Nothing was changed"):
        refuse_migrations([B], A, despite=False)
    refuse_migrations([B], A, despite=True)
    refuse_migrations([], A, despite=False)
