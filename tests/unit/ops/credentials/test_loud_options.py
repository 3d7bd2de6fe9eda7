"""The engine shows secrets from one verbosity on: `./infra` does not pass that on."""

from __future__ import annotations

import pytest

from ops.errors import OperatorError
from ops.session import options


@pytest.mark.parametrize(
    "given", [["-v=3"], ["-v", "9"], ["-v9"], ["--verbose=11"], ["--diff", "--", "--verbose", "9"]]
)
def test_it_is_refused(given: list[str]) -> None:
    with pytest.raises(OperatorError, match="-v=2 at most"):
        options(given)


@pytest.mark.parametrize("given", [["-v=2"], ["-v", "1", "--parallel", "9"], ["--target", "a-v9"], ["--verbose=0"], []])
def test_the_rest_goes_through(given: list[str]) -> None:
    assert options(["--", *given]) == given
