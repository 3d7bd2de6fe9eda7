"""What a new set has to pass before visitors see it, and while the old set still stands behind it."""

import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from components.containers.onhost.engine import FailureError, Sets, Wanted, last_words, names, run, state_of, within

DEATHS = 3
"""A container may stumble at its start; whoever falls so often does not get up."""
ASKED = 5
"""How often each new container is asked for each path: enough to see one that fails every fourth time."""
ANSWER_SECONDS = 10
DYING_SECONDS = 3
LOG_SECONDS = 5
FEWEST = 20
"""Answers below which a share says nothing."""
STOP = ".stop"
OUT_OF_MEMORY = 137


def become_healthy(root: Path, fresh: Sets, wanted: Wanted) -> None:
    """Asked from outside, so that one that listens on another port or on its own loopback does not pass."""
    end = time.monotonic() + wanted["within"]
    waiting = {name: kind for kind, some in fresh.items() for name in some}
    while waiting:
        refuse_to_go_on(root)
        said = {name: _not_yet(name, kind, wanted) for name, kind in waiting.items()}
        waiting = {name: kind for name, kind in waiting.items() if said[name]}
        if waiting and time.monotonic() > end:
            name = next(iter(waiting))
            restarts = state_of(name).get("restarts", 0)
            why = _cause(name) if restarts else f"is not healthy after {wanted['within']} s ({said[name]})"
            raise FailureError("health", f"{name} {why}. {last_words(name)}")
        time.sleep(0.2 if waiting else 0)


def _not_yet(name: str, kind: str, wanted: Wanted) -> str:
    """Why it cannot serve yet; empty when it can."""
    found = state_of(name)
    if not found:
        raise FailureError("start", f"{name} is gone. `./infra up`, or `pulumi up --refresh`, makes it again.")
    state = found["state"]
    if found["restarts"] >= DEATHS or state["Status"] in ("exited", "dead", "created"):
        raise FailureError("health", f"{name} {_cause(name)}. {last_words(name)}")
    place = wanted["kinds"][kind]
    status = ask(found, place["port"], place["health"], wanted)
    return "" if status == "200" else f"{place['health']} on port {place['port']}: {status}"


def _cause(name: str) -> str:
    """Out of Docker's events: the state of a container that was started again has forgotten how it died."""
    since, now = str(int(time.time()) - 3600), str(int(time.time()) + 1)
    span = ["--since", since, "--until", now, "--filter", f"container={name}"]
    events = run("docker", "events", *span, "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}", check=False)
    rows = [line.split() for line in events.splitlines()]
    codes = [row[1] for row in rows if row[0] == "die" and len(row) > 1]
    code = codes[-1] if codes else state_of(name).get("state", {}).get("ExitCode", "unknown")
    memory = ["oom"] in [row[:1] for row in rows] or str(code) == str(OUT_OF_MEMORY)
    times = max(len(codes), state_of(name).get("restarts", 0), 1)
    often = "once" if times == 1 else f"{times} times, the last time"
    return f"has died {often} with exit code {code}{', out of memory' if memory else ''}"


def answer_well(fresh: Sets, wanted: Wanted, gate: str = "smoke", times: int = ASKED) -> None:
    """Healthy is what it says of itself; this is what visitors would be told."""
    for kind, some in fresh.items():
        for name in some:
            place, found = wanted["kinds"][kind], state_of(name)
            for path in place["smoke"] * times:
                status = ask(found, place["port"], path, wanted)
                if status.isdigit() and int(status) < 500:
                    continue
                # Where no answer came it may be dying: the engine knows of that a moment later.
                if within(0 if status.isdigit() else DYING_SECONDS, partial(_has_died, name)):
                    raise FailureError(
                        "health" if gate == "smoke" else gate, f"{name} {_cause(name)}. {last_words(name)}"
                    )
                raise FailureError(gate, f"{name} answers {path}: {status}. {last_words(name)}")


def _has_died(name: str) -> bool:
    now = state_of(name)
    return not now or now["restarts"] > 0 or now["state"]["Status"] != "running"


def ask(found: Mapping[str, object], port: int, path: str, wanted: Wanted) -> str:
    """The status of the answer, or what went wrong instead."""
    there = found.get("there") or {}
    address = (there.get("Networks") or {}).get(wanted["network"], {}).get("IPAddress")  # type: ignore[attr-defined]
    if not address:
        return "it has no address"
    connection = HTTPConnection(address, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": wanted["host"], "X-Forwarded-Proto": "https"})
        return str(connection.getresponse().status)
    except (OSError, HTTPException) as error:
        return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()
    finally:
        connection.close()


def must_run(new: Sets) -> None:
    for name in names(new):
        state = (state_of(name) or {"state": {"Status": "gone"}})["state"]
        health = (state.get("Health") or {}).get("Status", "")
        if state["Status"] != "running" or health == "unhealthy":
            is_now = "unhealthy" if state["Status"] == "running" else state["Status"]
            raise FailureError("soak", f"{name} is {is_now}. {last_words(name)}")


def started(new: Sets) -> dict[str, str]:
    return {name: str(state_of(name).get("state", {}).get("StartedAt", "")) for name in names(new)}


def watch(root: Path, new: Sets, wanted: Wanted) -> Iterator[None]:
    """While the old set stands by: whoever dies, turns unhealthy or answers with errors has not passed."""
    since, end, log = started(new), time.monotonic() + wanted["soak"], time.monotonic()
    began = time.time()
    while time.monotonic() < end:
        time.sleep(max(0.0, min(1.0, end - time.monotonic())))
        refuse_to_go_on(root)
        must_run(new)
        must_not_have_died(since)
        answer_well(new, wanted, "soak", times=1)
        if time.monotonic() - log > LOG_SECONDS:
            log = time.monotonic()
            must_not_disappoint(new, wanted, began)
        yield


def must_not_have_died(since: Mapping[str, str]) -> None:
    """One that has died is running again by now: the engine sees to that."""
    for name, moment in since.items():
        if started({"": [name]})[name] != moment:
            raise FailureError("soak", f"{name} {_cause(name)}. {last_words(name)}")


def must_not_disappoint(new: Sets, wanted: Wanted, since: float) -> None:
    """What visitors got from the new backends, by nginx's own log."""
    addresses = {_address(name, wanted): name for name in new["backends"]}
    answers, errors = 0, 0
    lines = run("docker", "logs", "--since", f"{since:.3f}", wanted["container"], check=False).splitlines()
    for entry in filter(None, map(_entry, lines)):
        upstream, status = str(entry.get("upstream", "")), str(entry.get("status", ""))
        if upstream.rpartition(" ")[2] in addresses:
            answers += 1
            errors += status.startswith("5")
    if answers >= FEWEST and errors > answers * wanted["error_share"]:
        name = new["backends"][0]
        raise FailureError("soak", f"{errors} of {answers} answers of the new set were errors. {last_words(name)}")


def _address(name: str, wanted: Wanted) -> str:
    networks = (state_of(name).get("there") or {}).get("Networks") or {}
    return f"{networks.get(wanted['network'], {}).get('IPAddress')}:{wanted['kinds']['backends']['port']}"


def _entry(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refuse_to_go_on(root: Path) -> None:
    if (root / STOP).exists():
        raise FailureError("stop", "the operator has stopped this change.")
