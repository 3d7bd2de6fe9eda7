"""infra-converge. What it says is described in components/host/report.py.

Started over SSH it gets itself and the desired state on standard input. It also stays on the server, where
`sudo infra-converge check` compares with the state that was applied last.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from typing import Any

from components.host.converge import guard
from components.host.converge.host import Host, Trouble, write
from components.host.converge.state import FOLDER, PROGRAM, State, alone
from components.host.converge.work import Work, check
from components.host.items import Desired, from_data
from components.host.report import FAILED, OK, Line, Report, write_end
from components.host.report import write as as_json

PATIENCE = {"apply": 180, "converge": 180, "check": 20, "confirm": 60, "rollback": 60, "boot": 60}
USAGE = "usage: infra-converge apply | converge | check | confirm | rollback (confirm reads a token on standard input)"


def run(pack: bytes | None = None) -> None:
    """`pack` is the script itself when it came over SSH."""
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode not in PATIENCE:
        sys.exit(USAGE)
    if os.geteuid() != 0:
        sys.exit("infra-converge works as root: start it with sudo.")
    try:
        status = _run(mode, Host(), pack)
    except Trouble as trouble:
        sys.exit(f"{trouble}")
    sys.stdout.flush()
    # Without waiting for modules to be torn down.
    os._exit(status)


def _run(mode: str, host: Host, pack: bytes | None) -> int:
    os.umask(0o022)
    started = time.monotonic()
    text = sys.stdin.readline() if pack or mode == "confirm" else ""
    if mode in ("rollback", "boot"):
        return _roll_back(host, at_boot=mode == "boot")
    with alone(host, PATIENCE[mode]):
        state = State.load(host)
        if mode == "confirm":
            print(guard.confirm(host, state, text.strip()))
            return 0
        desired = read(text or host.text(f"{FOLDER}/desired.json"))
        if mode == "check":
            lines, token = check(desired, host, state), ""
        else:
            lines, token = _apply(desired, host, state, text, pack)
    end = Report(
        run=mode,
        seconds=round(time.monotonic() - started, 2),
        release=host.release,
        container=host.container,
        confirm=token,
        confirmed=state.confirmed,
        facts={"machine": platform.machine(), "cpus": os.cpu_count()},
    )
    return _say(lines, end)


def _apply(desired: Desired, host: Host, state: State, text: str, pack: bytes | None) -> tuple[list[Line], str]:
    work = Work(desired, host, state)
    if pack:
        settle(host, pack)
    work.run()
    if text and state.adopted:
        state.keep("desired.json", text)
    return list(work.lines.values()), work.token


def settle(host: Host, pack: bytes) -> None:
    """Before anything else: the timer that takes a change back starts it from there."""
    at = host.at(PROGRAM)
    if not at.exists() or at.read_bytes() != pack:
        write(at, pack, 0o755)


def read(text: str) -> Desired:
    if not text:
        raise Trouble("This server has not been converged yet: `./infra up` does it.")
    data: Mapping[str, Any] = json.loads(text)
    items = tuple(from_data(each) for each in data["items"])
    return Desired(items, **{name: data[name] for name in ("adopt", "data", "prefix", "ssh_port", "second_login")})


def _roll_back(host: Host, *, at_boot: bool) -> int:
    """Should the run that set the timer hang, its lock must not keep the owner out. A restart ends every patience."""
    try:
        with alone(host, PATIENCE["rollback"]):
            troubles = _if_due(host, at_boot)
    except Trouble:
        troubles = _if_due(host, at_boot)
    for each in troubles:
        print(each, file=sys.stderr)
    return 1 if troubles else 0


def _if_due(host: Host, at_boot: bool) -> list[str]:
    return guard.roll_back(host, State.load(host)) if at_boot or guard.is_due(host) else []


def _say(lines: list[Line], end: Report) -> int:
    """The report on standard output; on the other one a sentence for each failure."""
    failed = [line for line in lines if line.state == FAILED]
    for line in failed:
        print(f"{line.item}: {line.reason}", file=sys.stderr)
    engines = end.run == "converge"
    if not (failed and engines):
        shown = [line for line in lines if line.state != OK] if engines else lines
        print("\n".join([*map(as_json, shown), write_end(end)]))
    return 1 if failed and end.run != "check" else 0
