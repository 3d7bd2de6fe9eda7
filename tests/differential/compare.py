"""Ask both sides about the same pairs and tell where they differ."""

from __future__ import annotations

from dataclasses import dataclass

from edgerules.language import ExpressionError, compile_filter, parse
from tests.differential import oracle
from tests.differential.generate import Generator


@dataclass(frozen=True)
class Outcome:
    """`answers` counts what both sides said: true, false, refused."""

    pairs: int
    answers: dict[str, int]
    differences: list[str]


def own_answer(text: str, request: oracle.Request) -> str:
    """ "1", "0" or "error ...", as the oracle answers."""
    try:
        verdict = compile_filter(parse(text))(request)
    except ExpressionError as error:
        return f"error {error}"
    if not isinstance(verdict, bool):
        return "unknown"
    return "1" if verdict else "0"


def compare(pairs: int, seed: int) -> Outcome:
    """Generate `pairs` pairs and compare; refusals count as equal whatever their words."""
    generator = Generator(seed)
    made = [generator.pair() for _ in range(pairs)]
    answers = {"1": 0, "0": 0, "error": 0}
    differences = []
    for (text, request), theirs in zip(made, oracle.ask(made), strict=True):
        ours = own_answer(text, request)
        if ours.split()[0] == theirs.split()[0]:
            answers[ours.split()[0]] += 1
        else:
            differences.append(f"{text!r} on {request!r}: engine {theirs!r}, edgerules {ours!r}")
    return Outcome(pairs, answers, differences)
