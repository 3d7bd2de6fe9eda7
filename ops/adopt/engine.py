"""The engine's share of a take-over: what it makes while the old stack still serves, and forgets on the way back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ops.deploy.change import watched
from ops.deploy.failure import failure_in
from ops.errors import OperatorError
from ops.recover import replace_state
from ops.session import Session

STACK = "infra:containers:ContainerStack"
IMAGE = "docker:index/remoteImage:RemoteImage"
CONTAINER = "docker:index/container:Container"
CHANGES = ("create", "update", "replace")
State = Mapping[str, Any]


def before_the_outage(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """All that would be changed, but for what needs the old stack to be gone, and for what needs that."""
    late = set(of_containers([step["newState"] for step in steps if step.get("newState")]))
    changed = [step["urn"] for step in steps if step["op"] in CHANGES]
    return [urn for urn in changed if urn not in late]


def of_containers(resources: Iterable[State]) -> list[str]:
    """What stands on names, ports and data of the containers: their component's own, images apart, and what follows."""
    found: list[str] = []
    for each in resources:
        # A plan does not tell of what stays as it is, so the component is known by its name alone.
        mine = f"::{STACK}::" in (each.get("parent") or "") and each["type"] != IMAGE
        if mine or any(urn in found for urn in needs(each)):
            found.append(each["urn"])
    return found


def needs(resource: State) -> list[str]:
    by_property = (urn for urns in (resource.get("propertyDependencies") or {}).values() for urn in urns or [])
    provider = str(resource.get("provider") or "").rpartition("::")[0]
    return [resource.get("parent") or "", provider, *(resource.get("dependencies") or []), *by_property]


def prepare(session: Session) -> None:
    """Judged as a whole first, by the policies as well; then what comes before the outage."""
    steps = json.loads(session.ask("preview", "--json"))["steps"]
    urns = before_the_outage(steps)
    if urns:
        unjudged = {name: value for name, value in session.environment.items() if "POLICY_PACK" not in name}
        targets = [word for urn in urns for word in ("--target", urn)]
        up(Session(session.target, session.folder, unjudged), *targets)


def up(session: Session, *options: str) -> None:
    code, output = watched(session, "up", "--yes", "--skip-preview", *options)
    if code:
        failure = failure_in(output)
        raise OperatorError(f"The engine did not come to its end at the gate {failure.gate}: {failure.text}")


def known(session: Session) -> list[str]:
    """Containers that the state has, by name."""
    resources = (json.loads(session.ask("stack", "export")).get("deployment") or {}).get("resources") or []
    return [str((each.get("outputs") or {}).get("name")) for each in resources if each["type"] == CONTAINER]


def forget(session: Session) -> None:
    """What is not there any more leaves the state, so that the next `up` makes it; nothing is deleted by that."""
    state = json.loads(session.ask("stack", "export"))
    resources = (state.get("deployment") or {}).get("resources") or []
    gone = set(of_containers(resources))
    if gone:
        state["deployment"]["resources"] = [each for each in resources if each["urn"] not in gone]
        replace_state(session, state)
