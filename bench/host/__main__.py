"""The converge of a fresh server, a second one and a check, beside Ansible doing the same; in one run.

    python -m bench.host [--runs 5] [--ansible-runs 1] [--ups 20]

Every figure is from here to the server and back, over SSH, on machines of the same size that are up one after the
other. What installing the packages takes by itself is measured on a machine of its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.host import ansible, judges, parallel
from components.host.config import HostSettings
from components.host.converge.packages import APT
from components.host.desired import all_items
from components.host.items import Package
from rehearsal.hardened import check, converge, settings_for
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down

NAME = "bench-host"
SIZE = 2048
# The converge's own part of a first run; the rest is apt's.
OWN_SECONDS = 10.0
AGAIN_SECONDS = 3.0
TIMES_FASTER = 10.0


def main() -> int:
    options = parse()
    ansible.install()
    apt = packages_alone()
    ours, before, after, sessions = with_us(options.runs, options.ups)
    theirs = with_ansible(options.ansible_runs)
    print(report(apt, ours, theirs))
    print(judges.table(before, after))
    print(parallel.sentence(sessions))
    missed = list(targets(apt, ours, theirs)) + parallel.failures(sessions)
    print("\n".join(["", *(f"- MISSED: {each}" for each in missed)]) if missed else "\nAll targets are met.")
    return 1 if missed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.host")
    parser.add_argument("--runs", type=int, default=5, help="counted second runs and checks")
    parser.add_argument("--ansible-runs", type=int, default=1, help="the same of Ansible, which takes far longer")
    parser.add_argument("--ups", type=int, default=20, help="deploys in a row through parallel sessions")
    return parser.parse_args()


@contextmanager
def fresh() -> Iterator[tuple[Machine, HostSettings]]:
    take_down(NAME)
    try:
        machine = Machine.up(NAME, Order(memory_mb=SIZE))
        yield machine, settings_for(machine)
    finally:
        take_down(NAME)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def seconds(step: Callable[[], object]) -> float:
    started = time.monotonic()
    step()
    return time.monotonic() - started


def packages_alone() -> float:
    say("packages alone")
    with fresh() as (machine, settings):
        names = [item.name for item in all_items(settings) if isinstance(item, Package)]
        quiet = "sudo env DEBIAN_FRONTEND=noninteractive"
        command = " ".join(f"'{word}'" for word in (*APT, "install", *names))
        return seconds(lambda: machine.ssh(f"{quiet} apt-get -q update && {quiet} {command}", timeout=1800))


Times = dict[str, list[float]]


def with_us(runs: int, ups: int) -> tuple[Times, judges.Verdict, judges.Verdict, parallel.Sessions]:
    say("the converge script")
    with fresh() as (machine, settings):
        times: Times = {"first": [seconds(lambda: converged(machine, settings))]}
        times["second"] = [seconds(lambda: converged(machine, settings, changes=False)) for _ in range(runs)]
        times["check"] = [seconds(lambda: checked(machine, settings)) for _ in range(runs)]
        say("parallel sessions")
        sessions = parallel.run(machine, settings, ups)
        after = judges.ask(machine)
    say("the judges, on a machine as delivered")
    with fresh() as (machine, _):
        before = judges.ask(machine)
    return times, before, after, sessions


def converged(machine: Machine, settings: HostSettings, changes: bool = True) -> None:
    found = converge(machine, settings)
    if found.of("failed") or bool(found.of("changed")) != changes:
        raise SystemExit(f"the converge is not as expected: {found.of('failed', 'changed')[:5]}")


def checked(machine: Machine, settings: HostSettings) -> None:
    found = check(machine, settings)
    if found.drift:
        raise SystemExit(f"the check finds drift: {found.drift[:5]}")


def with_ansible(runs: int) -> Times:
    say("ansible")
    with fresh() as (machine, settings):
        first, _ = ansible.run(machine, settings)
        times: Times = {"first": [first], "second": [], "check": []}
        for name, options in (("second", ()), ("check", ("--check", "--diff"))):
            for _ in range(runs):
                took, changed = ansible.run(machine, settings, *options)
                if changed:
                    raise SystemExit(f"the playbook is not idempotent: {changed} changes in a {name} run")
                times[name].append(took)
        return times


def report(apt: float, ours: Times, theirs: Times) -> str:
    rows = ["| | converge | Ansible | times |", "|---|---|---|---|"]
    for name, title in (("first", "first run, s"), ("second", "second run, s"), ("check", "check, s")):
        mine, other = statistics.median(ours[name]), statistics.median(theirs[name])
        rows.append(f"| {title} | {mine:.2f} | {other:.2f} | {other / mine:.1f} |")
    again = ours["second"]
    notes = (
        f"The packages alone take {apt:.1f} s to install, the first converge {ours['first'][0] - apt:.1f} s more "
        "(apt differs by some seconds from run to run).",
        f"Medians of {len(again)} second runs ({min(again):.2f} to {max(again):.2f} s) and as many checks, of Ansible "
        f"{len(theirs['second'])}.",
        "Everything includes the SSH connection, which Ansible keeps from run to run and the converge opens anew.",
    )
    return "\n".join([*rows, "", " ".join(notes), ""])


def targets(apt: float, ours: Times, theirs: Times) -> Iterator[str]:
    first, second, looked = (statistics.median(ours[name]) for name in ("first", "second", "check"))
    if first > apt + OWN_SECONDS:
        yield f"the first converge takes {first - apt:.1f} s more than its packages, {OWN_SECONDS:g} s are allowed"
    for name, took in (("second run", second), ("check", looked)):
        if took > AGAIN_SECONDS:
            yield f"the {name} takes {took:.2f} s, {AGAIN_SECONDS:g} s are allowed"
    times = statistics.median(theirs["second"]) / second
    if times < TIMES_FASTER:
        yield f"the second run is {times:.1f} times faster than Ansible's, {TIMES_FASTER:g} are wanted"


if __name__ == "__main__":
    sys.exit(main())
