"""Copying rows back: what is said to the database."""

from __future__ import annotations

import pytest

from ops.drill.rows import Table, count_of, insert_of, quoted, rows_of
from ops.errors import OperatorError

LEDGER = Table('"public"."ledger"', 'key,"order",attempts', 'key,"order"', "infra_beside_0")


def test_names_are_quoted_and_nothing_else_passes() -> None:
    assert quoted("ledger") == '"public"."ledger"'
    assert quoted("shop.Order") == '"shop"."Order"'
    for wrong in ("ledger; DROP TABLE x", 'a"b', "", "a.b.c", "1st"):
        with pytest.raises(OperatorError, match="is no name of a table"):
            quoted(wrong)


def test_rows_that_are_there_stay_unless_told_otherwise() -> None:
    assert insert_of(LEDGER, overwrite=False).endswith('ON CONFLICT (key,"order") DO NOTHING;')
    assert insert_of(LEDGER, overwrite=True).endswith(
        'ON CONFLICT (key,"order") DO UPDATE SET attempts = EXCLUDED.attempts;'
    )


def test_a_table_that_is_all_key_has_nothing_to_overwrite() -> None:
    assert insert_of(Table("t", "a,b", "a,b", "x"), overwrite=True).endswith("DO NOTHING;")


def test_rows_are_compared_by_the_whole_key() -> None:
    assert 'ON l.key = b.key AND l."order" = b."order"' in count_of(LEDGER)


def test_a_condition_narrows_what_is_taken_out_of_the_backup() -> None:
    assert rows_of(LEDGER, "attempts > 1").endswith('FROM "public"."ledger" WHERE attempts > 1) TO STDOUT')
    assert "WHERE" not in rows_of(LEDGER, None)
