"""edgerules and Cloudflare's published engine give the same answer on random expressions and requests.

The default is a short run; `EDGERULES_PAIRS=100000` or `python -m tests.differential.run` makes the long one.
"""

from __future__ import annotations

import os

import pytest

from tests.differential import compare as comparison
from tests.differential.compare import compare
from tests.differential.oracle import OracleMissingError, ask, build, kinds

PAIRS = int(os.environ.get("EDGERULES_PAIRS", "5000"))


@pytest.fixture(scope="module", autouse=True)
def _oracle() -> None:
    try:
        build()
    except OracleMissingError as missing:
        pytest.skip(str(missing))


@pytest.mark.timeout(900)
def test_no_difference_on_random_pairs() -> None:
    outcome = compare(PAIRS, seed=20261121)
    assert outcome.differences == []
    assert outcome.answers["1"] > PAIRS // 4
    assert outcome.answers["0"] > PAIRS // 4
    assert outcome.answers["error"] > PAIRS // 50


def test_a_wrong_evaluator_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = comparison.own_answer
    monkeypatch.setattr(
        comparison, "own_answer", lambda text, request: "1" if " ne " in text else honest(text, request)
    )
    assert compare(200, seed=1).differences


def test_the_oracle_is_the_engine() -> None:
    request = {
        name: {"String": b"a", "Integer": 80, "Boolean": True}.get(kind, "10.0.0.1") for name, kind in kinds().items()
    }
    texts = [
        'http.host eq "a"',
        "not ssl",
        "cf.edge.server_port in {80..90}",
        "http.host ends_with 1",
        "ip.src lt 10.0.0.2",
    ]
    assert [answer.split()[0] for answer in ask((text, request) for text in texts)] == ["1", "0", "1", "error", "1"]
