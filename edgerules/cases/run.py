"""Run cases against a zone and say what failed, where, and which rule decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from edgerules.cases.judge import differences
from edgerules.cases.load import Case, CaseFile, Send
from edgerules.simulator import UNDECIDED, Edge, Outcome


@dataclass
class Result:
    case: Case
    failures: list[str] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    deciders: set[str] = field(default_factory=set)  # every rule that did something

    @property
    def passed(self) -> bool:
        return not self.failures


def run_case(edge: Edge, case: Case, *, first_only: bool = False) -> Result:
    """Run one case from a fresh start (no counters, nothing cached)."""
    edge.reset()
    result = Result(case)
    for send in case.sends:
        for turn in range(send.repeat):
            outcome = edge.send(send.request, send.at + turn * send.every)
            result.verdicts[outcome.verdict] += 1
            result.deciders.update(step.rule for step in outcome.steps)
            wrong = list(differences(send.expect, outcome))
            if wrong:
                result.failures.append(_message(case, send, turn, outcome, wrong))
                if first_only:
                    return result
                break  # the turns after it would say the same again
    return result


def _message(case: Case, send: Send, turn: int, outcome: Outcome, wrong: list[str]) -> str:
    at = send.at + turn * send.every
    number = f", {turn + 1} of {send.repeat}" if send.repeat > 1 else ""
    lines = [f'{case.file}:{send.line}: case "{case.name}": {send.request} at {at:g} s{number}']
    lines += [f"  expected {text}" for text in wrong]
    lines += [f"  {step.phase}: {step.rule}: {step.action} {step.note}".rstrip() for step in outcome.steps]
    if not outcome.steps:
        lines.append("  no rule matched")
    return "\n".join(lines)


def run_file(file: CaseFile) -> list[Result]:
    edge = Edge(file.zone, file.zone_document)
    return [run_case(edge, case) for case in file.cases]


def tally(results: list[Result]) -> str:
    """`12 cases passed, 1 failed; 366 requests, 2 of them unknown (0.5 %)`."""
    verdicts = sum((result.verdicts for result in results), Counter[str]())
    total, unknown = verdicts.total(), verdicts[UNDECIDED]
    failed = sum(not result.passed for result in results)
    share = f"{100 * unknown / total:.1f} %" if total else "0 %"
    passed = len(results) - failed
    return (
        f"{passed} case{'s' * (passed != 1)} passed, {failed} failed; "
        f"{total} requests, {unknown} of them unknown ({share})"
    )
