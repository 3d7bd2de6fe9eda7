"""The documentation's own expressions: what it shows is accepted, what it forbids is refused where it says."""

from __future__ import annotations

import pytest
from rules_support import rows

from edgerules.language import ExpressionError, parse, to_text

VALID = rows("valid.tsv")
INVALID = rows("invalid.tsv")


def test_corpora_are_as_large_as_promised() -> None:
    assert len(VALID) >= 46
    assert len(INVALID) >= 23


@pytest.mark.parametrize(("page", "result", "text"), VALID)
def test_documented_expression_is_accepted_and_prints_to_itself(page: str, result: str, text: str) -> None:
    expr = parse(text, result=result)
    assert parse(to_text(expr), result=result) == expr


@pytest.mark.parametrize(("page", "code", "column", "text"), INVALID)
@pytest.mark.parametrize("result", ["filter", "value"])
def test_documented_mistake_is_refused_at_its_column(page: str, code: str, column: str, text: str, result: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, result=result)
    if result == "filter":
        assert (caught.value.code, caught.value.column) == (code, int(column))
        assert caught.value.docs.startswith("https://developers.cloudflare.com/")
