"""The zones that both systems' production really declares, with the requests of their own cases."""

from __future__ import annotations

import time
from pathlib import Path

from edgerules.cases.load import load_cases
from edgerules.cases.mutants import score
from edgerules.language import parse
from edgerules.simulator.edge import Edge
from edgerules.simulator.request import Request

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = ("neurmatic", "neuropilot")
ENOUGH = 10_000


def measure() -> None:
    for system in SYSTEMS:
        started = time.perf_counter()
        file = load_cases(ROOT / system / "edge.cases.yaml")
        texts = [rule.expression for rules in file.zone.rules.values() for rule in rules]
        begun = time.perf_counter()
        for text in texts:
            parse(text)
        parsing = time.perf_counter() - begun
        rate = requests_per_second(Edge(file.zone), [send.request for case in file.cases for send in case.sends])
        found = score(file.zone, list(file.cases))
        print(
            f"{system}: {len(texts)} rules parsed in {parsing * 1000:.1f} ms; {rate:,.0f} requests a second through "
            f"the zone; {found.killed} of {found.total} mutants of its rules noticed by its {len(file.cases)} cases; "
            f"all of it in {time.perf_counter() - started:.1f} s"
        )


def requests_per_second(edge: Edge, requests: list[Request]) -> float:
    sent, started = 0, time.process_time()
    while sent < ENOUGH:
        for request in requests:
            edge.send(request, at=float(sent))
            sent += 1
    return sent / (time.process_time() - started)
