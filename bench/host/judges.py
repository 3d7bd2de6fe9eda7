"""lynis and ssh-audit on a machine: what they say in figures."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from rehearsal.machine import Machine

INSTALL = "sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends lynis"
UPDATE = "sudo apt-get -q update"
AUDIT = "sudo lynis audit system --quick --quiet --no-colors; sudo cat /var/log/lynis-report.dat"


@dataclass(frozen=True)
class Verdict:
    hardening: int
    findings: int
    """Warnings and suggestions of lynis, by test."""
    weak: int
    """Algorithms that ssh-audit fails or warns about."""
    failing: int


def ask(machine: Machine) -> Verdict:
    machine.ssh(f"{UPDATE} && {INSTALL}", timeout=600)
    rows = [line.partition("=") for line in machine.ssh(AUDIT, timeout=600, check=False).stdout.splitlines()]
    index = next(int(value) for name, _, value in rows if name == "hardening_index")
    found = {value.split("|")[0] for name, _, value in rows if name in ("warning[]", "suggestion[]")}
    fails, warns = _ssh(machine)
    return Verdict(index, len(found), len(fails | warns), len(fails))


def _ssh(machine: Machine) -> tuple[set[str], set[str]]:
    command = [sys.executable, "-m", "ssh_audit", "--skip-rate-test", "-jj", machine.address]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout)
    levels: dict[str, set[str]] = {"fail": set(), "warn": set()}
    for kind in ("kex", "key", "enc", "mac"):
        for each in said[kind]:
            for level, names in levels.items():
                if each.get("notes", {}).get(level):
                    names.add(f"{kind} {each['algorithm']}")
    return levels["fail"], levels["warn"]


def table(before: Verdict, after: Verdict) -> str:
    rows = (
        ("lynis: hardening index", before.hardening, after.hardening),
        ("lynis: tests with a finding", before.findings, after.findings),
        ("ssh-audit: algorithms with a warning or worse", before.weak, after.weak),
        ("ssh-audit: algorithms that fail", before.failing, after.failing),
    )
    lines = ["| judge | as delivered | converged |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    return "\n".join([*lines, "", "What is left has its reason in tests/rehearsal/host/baseline.yaml.", ""])
