"""Writing the envelope: what the engine knows of a stack, sealed and put away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import yaml

from components.escrow import EscrowSettings
from ops.errors import OperatorError
from ops.escrow.envelope import About, Envelope, seal
from ops.escrow.places import Place, at_hand, beside
from ops.session import Session, backend_of, say
from ops.target import ROOT


def refresh(session: Session, reason: str) -> bool:
    """After a change, whether it went well or not. False, and a sentence, if the copy could not be kept."""
    recipients = settings_of(session).recipients
    if not recipients:
        if not session.target.rehearsal:
            say("No escrow copy of the state: escrow.recipients names nobody who could open it.")
        return True
    try:
        write(session, reason, recipients, list(places(session)))
    except OperatorError as error:
        say(f"The state is safe in its backend, but its escrow copy was not refreshed: {error}")
        return False
    return True


def write(session: Session, reason: str, recipients: tuple[str, ...], wanted: list[Place]) -> None:
    sealed = seal(collect(session, reason), recipients)
    for each in wanted:
        each.write(sealed)


def places(session: Session) -> Iterator[Place]:
    """Where it always goes. What is rehearsed has no business on the operator's disk."""
    target = session.target
    with_state = beside(backend_of(session), target.system, target.stack)
    if with_state is not None:
        yield with_state
    if target.rehearsal is None:
        yield at_hand(target.system, target.stack)


def collect(session: Session, reason: str) -> Envelope:
    state = json.loads(session.ask("stack", "export", "--show-secrets"))
    config = json.loads(session.ask("config", "--show-secrets", "--json"))
    secrets = {name: entry["value"] for name, entry in config.items() if entry["secret"]}
    names = ("Pulumi.yaml", f"Pulumi.{session.target.stack}.yaml")
    files = {name: (session.folder / name).read_text() for name in names}
    return Envelope(_about(session, reason, state), state, secrets, files)


def settings_of(session: Session) -> EscrowSettings:
    """From the stack file that the engine works with: the program has found everything else in it sound."""
    given = stack_file(session).get("config", {}).get(f"{session.target.system}:escrow") or {}
    return EscrowSettings.model_validate_json(json.dumps(given), strict=True)


def stack_file(session: Session) -> dict[str, Any]:
    text = (session.folder / f"Pulumi.{session.target.stack}.yaml").read_text()
    return dict(yaml.safe_load(text) or {})


def _about(session: Session, reason: str, state: dict[str, Any]) -> About:
    deployment = state.get("deployment") or {}
    return About(
        system=session.target.system,
        stack=session.target.stack,
        written=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        reason=reason,
        backend=backend_of(session),
        provider=stack_file(session).get("secretsprovider", "passphrase"),
        engine=str((deployment.get("manifest") or {}).get("version", "")),
        commit=_commit(),
        resources=len(deployment.get("resources") or []),
    )


def _commit() -> str:
    known = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return known.stdout.strip() or "unknown"
