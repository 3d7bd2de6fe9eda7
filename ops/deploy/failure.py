"""Which gate a failed change did not pass, and what was said there, out of what the engine has printed."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES = 14
# A resource of the engine's diagnostics, with the gate that it stands for.
_HEADER = re.compile(r"^  (?P<type>[\w:/.-]+) \((?P<name>[^)]*)\):$")
_GATE = re.compile(r"^\s*(?:error: )?Gate (?P<gate>\w+): (?P<text>.*)$")
_STOPPED = ("update canceled", "interrupt")


@dataclass(frozen=True)
class Failure:
    gate: str
    text: str


def failure_in(output: str) -> Failure:
    """The gate's own words, if one spoke; else what the engine says of the first thing that went wrong."""
    diagnostics = output.rpartition("\nDiagnostics:\n")[2]
    blocks = list(_blocks(diagnostics))
    for _, _, lines in blocks:
        for number, line in enumerate(lines):
            if found := _GATE.match(line):
                # A migration speaks before its gate does, all others after it.
                before = _said(lines[:number]) if found["gate"] == "migration" else []
                return Failure(found["gate"], "\n".join([found["text"], *before, *_said(lines[number + 1 :])]))
    for kind, name, lines in blocks:
        errors = [line.strip() for line in lines if "error:" in line]
        if errors and kind != "pulumi:pulumi:Stack":
            return Failure(_gate_of(kind, name), f"{name}: " + errors[0].partition("error:")[2].strip())
    return Failure("up", _last(output))


def _blocks(text: str) -> list[tuple[str, str, list[str]]]:
    found: list[tuple[str, str, list[str]]] = []
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            found.append((header["type"], header["name"], []))
        elif line.startswith(("Outputs:", "Resources:", "Duration:", "Policies:", "Policy Violations")):
            break
        elif found:
            found[-1][2].append(line)
    return found


def _gate_of(kind: str, name: str) -> str:
    if kind.endswith(":RemoteImage"):
        return "pull"
    if name.endswith("-migration"):
        return "migration"
    return "start" if kind.endswith(":Container") else "up"


def _said(lines: list[str]) -> list[str]:
    words = [line.strip() for line in lines if line.strip()]
    return [line for line in words if not line.startswith(("error: Process exited", "error: update failed"))][-LINES:]


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if "error:" in line]
    if not lines:
        return "the engine ended without a word: see above."
    stopped = any(word in line for line in lines for word in _STOPPED)
    return "it was stopped." if stopped else lines[0].partition("error:")[2].strip()
