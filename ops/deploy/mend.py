"""The engine's state after a change that failed: what the server has removed is gone, and what serves is wanted again.

The engine has marked the old containers for deletion when the new ones were made. Without this the next `up` would roll
everything once more, and a second try of the same release would take removed containers for running ones.
"""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from ops.errors import OperatorError
from ops.recover import replace_state
from ops.session import Session, say

CONTAINER = "docker:index/container:Container"
ROLLING = ("backend", "frontend")

Entry = dict[str, Any]


def is_half_done(session: Session) -> bool:
    """Whether a change of what serves has ended in the middle."""
    return any(each.get("delete") for each in _resources(json.loads(session.ask("stack", "export"))) if rolls(each))


def mend(session: Session, there: Set[str], serving: Set[str]) -> bool:
    """`there` are all containers of the server, `serving` those that visitors are sent to."""
    state = json.loads(session.ask("stack", "export"))
    before = _resources(state)
    after = mended(before, there, serving)
    if after == before:
        return False
    state["deployment"]["resources"] = after
    try:
        replace_state(session, state)
    except OperatorError as error:
        say(f"The engine's state was left as it is, so the next run starts all containers anew: {error}")
        return False
    return True


def mended(resources: list[Entry], there: Set[str], serving: Set[str]) -> list[Entry]:
    """In the place of one that is gone stands the one that serves; so everything keeps what it depends on before it."""
    result = list(resources)
    for gone in [each for each in resources if rolls(each) and not each.get("delete") and name_of(each) not in there]:
        old = [each for each in result if each["urn"] == gone["urn"] and each.get("delete")]
        back = next((each for each in old if name_of(each) in serving), None)
        if back is not None:
            result[result.index(gone)] = {key: value for key, value in back.items() if key != "delete"}
            result.remove(back)
        else:
            # The engine makes a tainted one anew, and what depends on it keeps its place.
            result[result.index(gone)] = {**gone, "taint": True}
    return in_order(
        [each for each in result if not (rolls(each) and each.get("delete") and name_of(each) not in there)]
    )


def in_order(resources: list[Entry]) -> list[Entry]:
    """What another depends on stands before it, or the engine refuses; everything else keeps its place.

    One that serves again came in with a login (components/containers/logins.py) that the failed change would have taken
    away, and stands behind everything for that.
    """
    living = {each["urn"]: each for each in resources if not each.get("delete")}
    ordered: dict[int, Entry] = {}
    seen: set[int] = set()

    def put(each: Entry) -> None:
        if id(each) not in seen:
            seen.add(id(each))
            for urn in needs(each):
                if urn in living:
                    put(living[urn])
            ordered[id(each)] = each

    for each in resources:
        put(each)
    return list(ordered.values())


def needs(entry: Entry) -> list[str]:
    of_inputs = (urn for urns in (entry.get("propertyDependencies") or {}).values() for urn in urns or [])
    provider = str(entry.get("provider", "")).rpartition("::")[0]
    return [entry.get("parent", ""), provider, *(entry.get("dependencies") or []), *of_inputs]


def rolls(entry: Entry) -> bool:
    labels = entry.get("inputs", {}).get("labels", []) if entry["type"] == CONTAINER else []
    return any(each.get("label") == "service" and each.get("value") in ROLLING for each in labels)


def name_of(entry: Entry) -> str:
    return str(entry.get("outputs", {}).get("name") or entry.get("inputs", {}).get("name", ""))


def _resources(state: Entry) -> list[Entry]:
    return list((state.get("deployment") or {}).get("resources") or [])
