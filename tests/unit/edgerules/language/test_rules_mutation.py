"""Every small change of the evaluator fails a test.

The default takes one mutant in eight; `EDGERULES_MUTANTS=all` takes all of them (some minutes).
"""

from __future__ import annotations

import os

import pytest
from rules_mutants import killed, mutants

pytestmark = pytest.mark.slow

MODULES = (
    "compare",
    "evaluate",
    "functions.arrays",
    "functions.crypto",
    "functions.lookup",
    "functions.network",
    "functions.text",
    "logic",
    "membership",
    "regex.classes",
    "regex.linear",
    "regex.parse",
    "regex.scanner",
    "regex.translate",
    "regex.tree",
    "wildcard",
)
STEP = 1 if os.environ.get("EDGERULES_MUTANTS") == "all" else 8

SAME = {
    # Ranges that only touch need not be merged, and neither need neighbouring bytes of a class.
    "membership: if highs and low <= highs[-1]: [LtE becomes Lt]",
    "regex.translate: if runs and runs[-1][1] == byte - 1: [Sub becomes Add]",
    # One step beyond the end reads nothing.
    "wildcard: while index < len(pattern): [Lt becomes LtE]",
    # The pattern starts with (?x) or with the bracket, so nothing is found at 0.
    "regex.scanner: self.offset = len(self.pattern) if end < 0 else end + 1 [Lt becomes LtE]",
    "regex.scanner: self.offset = len(self.pattern) if end < 0 else end + 1 [0 grows by one]",
    'regex.classes: name = scan.pattern[scan.offset + 2 : end] if end > 0 else "" [Gt becomes GtE]',
    'regex.classes: name = scan.pattern[scan.offset + 2 : end] if end > 0 else "" [0 grows by one]',
    # Where the search for ":]" starts changes the name only from one that is unknown to another.
    'regex.classes: end = scan.pattern.find(":]", scan.offset + 2) [Add becomes Sub]',
    'regex.classes: end = scan.pattern.find(":]", scan.offset + 2) [2 grows by one]',
    # A pattern that needs Unicode is never run, so the byte that stands in for a character does not matter.
    "regex.scanner: return 0 [0 grows by one]",
    # How many steps are remembered is a matter of speed, and any number below 0 stands for no byte.
    "regex.linear: _REMEMBERED = 20_000 [20000 grows by one]",
    "regex.linear: if len(self._steps) > _REMEMBERED: [Gt becomes GtE]",
    "regex.linear: before = -1 [1 grows by one]",
    "regex.linear: for byte in (*text, -1): [1 grows by one]",
    # The limit is a measured estimate, not a number that anyone documents.
    "regex.parse: if size(part) > SIZE_LIMIT: [Gt becomes GtE]",
}
"""Mutants that mean the same as the original, each with the reason."""


def test_the_corpus_passes_on_the_package_as_it_is() -> None:
    assert not killed(None)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("module", MODULES)
def test_mutants_are_killed(module: str) -> None:
    made = [mutant for mutant in mutants(module) if str(mutant) not in SAME]
    assert [str(mutant) for mutant in made[::STEP] if not killed(mutant)] == []


def test_the_list_of_harmless_mutants_is_current() -> None:
    made = {str(mutant) for module in MODULES for mutant in mutants(module)}
    assert made >= SAME
