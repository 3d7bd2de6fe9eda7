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
    return [each for each in result if not (rolls(each) and each.get("delete") and name_of(each) not in there)]


def rolls(entry: Entry) -> bool:
    labels = entry.get("inputs", {}).get("labels", []) if entry["type"] == CONTAINER else []
    return any(each.get("label") == "service" and each.get("value") in ROLLING for each in labels)


def name_of(entry: Entry) -> str:
    return str(entry.get("outputs", {}).get("name") or entry.get("inputs", {}).get("name", ""))


def _resources(state: Entry) -> list[Entry]:
    return list((state.get("deployment") or {}).get("resources") or [])
