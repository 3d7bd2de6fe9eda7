"""After a killed `up`: the lock of a dead process goes, and what it was making is adopted or made again.

The engine writes down what it is about to create. Where the thing exists by now, its id is found and it is taken into
the state; where it does not, the entry goes. So no second one is made beside it, and none is forgotten.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any

from ops.errors import OperatorError
from ops.locks import locks
from ops.session import Session, say

Pending = dict[str, Any]
# Finds the id of a thing that a pending creation has made, or nothing; ids that the state has are somebody else's.
Finder = Callable[[Pending, frozenset[str]], "str | None"]


def recover(session: Session, backend: str, project: str, find: Finder) -> None:
    clear_dead_locks(session, backend, project)
    settle_pending(session, find)


def clear_dead_locks(session: Session, backend: str, project: str) -> None:
    found = locks(backend, project, session.target.stack)
    living = [lock for lock in found if not lock.is_dead]
    if living:
        raise OperatorError(
            f"{session.target.stack} is being changed by {living[0]}: wait for them. "
            "If that process is certain to be gone, `pulumi cancel` removes its lock."
        )
    if found:
        say(f"The last run was killed: removing the lock of {found[0]}.")
        session.ask("cancel", "--yes")


def settle_pending(session: Session, find: Finder) -> None:
    state = json.loads(session.ask("stack", "export"))
    deployment = state.get("deployment") or {}
    operations = deployment.get("pending_operations") or []
    if not operations:
        return
    half_made = [each["resource"] for each in operations if each["type"] == "creating"]
    taken = frozenset(str(each["id"]) for each in deployment["resources"] if each.get("id"))
    adopted = [{**each, "id": identity} for each in half_made if (identity := find(each, taken))]
    say(f"The last run left {len(half_made)} resources half-made; {len(adopted)} of them exist and are adopted.")
    # `refresh --import-pending-creates` only renames the entries in 3.255: nothing is taken into the state.
    deployment["resources"] += adopted
    deployment["pending_operations"] = []
    replace_state(session, state)
    if adopted:
        targets = [word for each in adopted for word in ("--target", each["urn"])]
        session.ask("refresh", "--yes", "--skip-preview", *targets)


def replace_state(session: Session, state: dict[str, Any]) -> None:
    """Secrets in it stay encrypted; the file is the operator's alone while it exists."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="state-") as file:
        json.dump(state, file)
        file.flush()
        session.ask("stack", "import", "--file", file.name)
