"""The dead man's switch: an access change that nobody confirms by a second login is taken back by the server itself.

What was there is written down, and a timer set, before the first guarded change. So it does not matter what dies in
between: the script, the connection, or (infra-rollback.service) the power.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from components.host.converge.files import put_back, snapshot
from components.host.converge.host import Host, Trouble
from components.host.converge.state import FOLDER, PROGRAM, State
from components.host.items import Argv, Desired, File, Live, Unit

TIMER = "infra-rollback-"
KEPT = "guard.json"
PARDONS = (0, 2, 4)


def load(host: Host) -> dict[str, Any] | None:
    text = host.text(f"{FOLDER}/{KEPT}")
    return json.loads(text) if text else None


def arm(host: Host, state: State, items: Sequence[File | Unit | Live], desired: Desired) -> str:
    """A run after one that was killed keeps what that one has kept: only that is proven to let the owner in."""
    kept = load(host) or {"files": {}, "actions": [], "ssh_port": desired.ssh_port}
    for item in items:
        if isinstance(item, File):
            kept["files"].setdefault(item.path, snapshot(host, item.path))
        more = [*getattr(item, "on_change", ()), *item.undo]
        kept["actions"] += [list(each) for each in more if list(each) not in kept["actions"]]
    kept["token"] = secrets.token_hex(16)
    set_timer(host, state, kept, desired.second_login)
    return str(kept["token"])


def renew(host: Host, state: State, seconds: int) -> None:
    """The change is made: the time for the second login begins now."""
    kept = load(host)
    if kept is not None:
        set_timer(host, state, kept, seconds)


def set_timer(host: Host, state: State, kept: dict[str, Any], seconds: int) -> None:
    """Under a new name each time, and with its moment written down: the timer before may just be going off."""
    state.keep(KEPT, json.dumps({**kept, "until": time.clock_gettime(time.CLOCK_BOOTTIME) + seconds}))
    stop_timers(host)
    name = f"{TIMER}{kept['token'][:8]}-{secrets.token_hex(2)}"
    command = ("systemd-run", "--quiet", f"--unit={name}", f"--on-active={seconds}", "--timer-property=AccuracySec=1s")
    host.do((*command, "--collect", PROGRAM, "rollback"))


def is_due(host: Host) -> bool:
    kept = load(host)
    # A timer may go off a little early by this clock, never by a second.
    return kept is not None and time.clock_gettime(time.CLOCK_BOOTTIME) >= kept["until"] - 1


def stop_timers(host: Host) -> None:
    host.run(("systemctl", "stop", f"{TIMER}*.timer"))


def confirm(host: Host, state: State, token: str) -> str:
    """The second login has come. Returns a sentence for the person who waits."""
    kept = load(host)
    if kept is None and not token:
        return "This is the second login; no change of access waits for it."
    if kept is not None and kept["token"] == token:
        stop_timers(host)
        host.at(f"{FOLDER}/{KEPT}").unlink()
        state.confirmed, state.rolled_back = token, ""
        state.save()
        return "The second login has confirmed the change of access."
    if kept is None and state.confirmed == token:
        return "The change of access was confirmed before."
    if kept is None and state.rolled_back:
        raise Trouble(
            f"The change of sshd or of the firewall was taken back at {state.rolled_back}, because no second login "
            "came in time: look at `./infra drift`, correct the settings, and run `./infra up` again."
        )
    raise Trouble("Another run has changed the access since: its own second login confirms it. Run `./infra up` again.")


def roll_back(host: Host, state: State, *, locked_out: bool = True) -> list[str]:
    """Everything as it was. What fails must not keep the rest from it.

    `locked_out`: nobody got in, so SSH is let in whatever the firewall says.
    """
    kept = load(host)
    if kept is None:
        return []
    troubles: list[str] = []
    for path, before in kept["files"].items():
        troubles += _tried(lambda path=path, before=before: put_back(host, path, before))
    for action in kept["actions"]:
        troubles += _tried(lambda action=action: host.do(action))
    if locked_out:
        troubles += _open_the_door(host, kept["ssh_port"])
        state.rolled_back = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    else:
        stop_timers(host)
    state.due = []
    state.save()
    host.at(f"{FOLDER}/{KEPT}").unlink()
    return troubles


def _open_the_door(host: Host, port: int) -> list[str]:
    troubles: list[str] = []
    for program in ("iptables", "ip6tables"):
        troubles += _tried(lambda program=program: _let_ssh_in(host, program, port))
    _pardon(host)
    return troubles


def _pardon(host: Host) -> None:
    """Whoever tried while it was shut has been banned for it. No trouble where fail2ban does not run.

    It reads the journal when it comes to it: the ban for the last try may be younger than the first pardon.
    """
    for pause in PARDONS:
        time.sleep(pause)
        if _tried(lambda: host.do(("fail2ban-client", "unban", "--all"))):
            return


def _let_ssh_in(host: Host, program: str, port: int) -> None:
    rule: Argv = ("INPUT", "-p", "tcp", "--dport", str(port), "-j", "ACCEPT")
    if host.run((program, "-w", "-C", *rule)).returncode != 0:
        host.do((program, "-w", "-I", *rule))


def _tried(step: Any) -> list[str]:
    try:
        step()
    except (Trouble, OSError) as trouble:
        return [str(trouble)]
    return []
