"""What the pack notices of everything that could be changed in production: python -m tests.policy.mutation.run

Prints Markdown; test_mutation.py fails if a mutant passes that no reason covers, or if a reason is not needed any more.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.policy.mutation.capture import capture
from tests.policy.mutation.mutants import Mutant, mutants
from tests.policy.mutation.notice import Stack
from tests.policy.mutation.reasons import Cover, Reason, load

SYSTEMS = ("neurmatic", "neuropilot")
SHOWN = 12


@dataclass
class Outcome:
    noticed: Counter[str] = field(default_factory=Counter)
    """By type."""
    by_rule: Counter[str] = field(default_factory=Counter)
    excused: dict[Reason, Counter[Cover]] = field(default_factory=dict)
    """For each reason, how often each of its parts was needed."""
    excused_types: Counter[str] = field(default_factory=Counter)
    unnoticed: list[Mutant] = field(default_factory=list)
    """Without a reason."""
    false_alarms: list[str] = field(default_factory=list)
    resources: int = 0

    @property
    def unneeded(self) -> list[Cover]:
        """Parts of reasons whose mutants are noticed, or cannot be made any more."""
        return [cover for reason, found in self.excused.items() for cover in reason.covers if not found[cover]]

    @property
    def total(self) -> int:
        return sum(self.noticed.values()) + self.excused_types.total() + len(self.unnoticed)

    @property
    def passed(self) -> bool:
        return not (self.unnoticed or self.unneeded or self.false_alarms)


def run(reasons: list[Reason], stacks: list[list[dict[str, object]]] | None = None) -> Outcome:
    outcome = Outcome(excused={reason: Counter() for reason in reasons})
    for resources in stacks if stacks is not None else captured():
        stack = Stack(resources)
        outcome.resources += len(resources)
        outcome.false_alarms += [f"{rule}: {urn}: {name}" for rule, urn, name in sorted(stack.before)]
        for mutant in (each for resource in resources for each in mutants(resource)):
            _count(outcome, mutant, stack.noticed_by(mutant))
    return outcome


def captured() -> list[list[dict[str, object]]]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda system: capture(system, "production"), SYSTEMS))


def _count(outcome: Outcome, mutant: Mutant, rules: list[str]) -> None:
    if rules:
        outcome.noticed[mutant.resource["type"]] += 1
        outcome.by_rule.update(rules)
        return
    for reason, found in outcome.excused.items():
        cover = reason.cover(mutant)
        if cover:
            found[cover] += 1
            outcome.excused_types[mutant.resource["type"]] += 1
            return
    outcome.unnoticed.append(mutant)


def markdown(outcome: Outcome, seconds: float) -> Iterator[str]:
    excused = outcome.excused_types.total()
    gaps = sum(found.total() for reason, found in outcome.excused.items() if reason.text.startswith("Gap"))
    yield (
        f"{outcome.total} mutants of {outcome.resources} resources in {seconds:.0f} s: "
        f"{sum(outcome.noticed.values())} noticed, {excused} not noticed for a written reason "
        f"(of {gaps} the reason is that it matters and is not judged yet), "
        f"{len(outcome.unnoticed)} not noticed.\n"
    )
    for alarm in outcome.false_alarms:
        yield f"- False alarm: {alarm}"
    yield from _unnoticed(outcome.unnoticed)
    for cover in outcome.unneeded:
        flips = "" if cover.flips == ("*",) else f": {'; '.join(cover.flips)}"
        yield f"- Not needed any more: {', '.join(cover.types)}: {', '.join(cover.inputs)}{flips}"
    yield "\n## By type\n\n| type | noticed | with a reason | not noticed |\n|---|---|---|---|"
    yield from _by_type(outcome)
    yield "\n## By rule\n\nHow many mutants each rule notices; one may be noticed by several.\n"
    yield "| rule | mutants |\n|---|---|"
    yield from (f"| {rule} | {count} |" for rule, count in sorted(outcome.by_rule.items()))
    yield "\n## Reasons\n\nFrom tests/policy/mutation/reasons.yaml.\n"
    yield from (f"- {found.total()}: {reason.text}" for reason, found in outcome.excused.items())


def _unnoticed(found: list[Mutant]) -> Iterator[str]:
    by_input: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for mutant in found:
        flips = by_input[mutant.resource["type"]][mutant.pattern or "(resource)"]
        if mutant.flip not in flips:
            flips.append(mutant.flip)
    for kind, inputs in sorted(by_input.items()):
        yield f"\n## Not noticed: {kind}\n"
        for name, flips in sorted(inputs.items()):
            more = f" and {len(flips) - SHOWN} more" if len(flips) > SHOWN else ""
            yield f"- `{name}`: {'; '.join(_one_line(flip) for flip in flips[:SHOWN])}{more}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _by_type(outcome: Outcome) -> Iterator[str]:
    excused = outcome.excused_types
    unnoticed = Counter(mutant.resource["type"] for mutant in outcome.unnoticed)
    for kind in sorted({*outcome.noticed, *excused, *unnoticed}):
        yield f"| {kind} | {outcome.noticed[kind]} | {excused[kind]} | {unnoticed[kind]} |"


if __name__ == "__main__":
    started = time.monotonic()
    outcome = run(load())
    print("\n".join(markdown(outcome, time.monotonic() - started)))
