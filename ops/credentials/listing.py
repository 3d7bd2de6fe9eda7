"""`./infra credentials`: each with its source, its age and the day it is due, and never a value."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

import click
import yaml

from ops.credentials.ages import MISSING, OVERDUE, UNKNOWN, Credential
from ops.credentials.ages import credentials as of_stack
from ops.server import settings_of
from ops.session import Session, open_session
from ops.target import Target, target_options

DUE = 2


@click.command()
@target_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def credentials(target: Target, as_json: bool) -> None:
    """Each credential of a stack with its source, age and due date; never a value.

    Ends with 2 when one is overdue, with 1 when one is missing, with 0 otherwise.
    """
    settings: Any = settings_of(target)
    session = open_session(target)
    found = of_stack(settings, resources(session), configured(session))
    today = datetime.now(timezone.utc).date()
    show = as_data if as_json else as_text
    click.echo(show(found, today, settings.credentials.warn_before))
    states = {each.state(today, settings.credentials.warn_before) for each in found}
    sys.exit(DUE if OVERDUE in states else 1 if MISSING in states else 0)


def resources(session: Session) -> list[dict[str, Any]]:
    """What the stack has made; what is secret stays encrypted."""
    deployment = json.loads(session.ask("stack", "export")).get("deployment") or {}
    return list(deployment.get("resources") or [])


def configured(session: Session) -> set[str]:
    """The keys that the stack file has a secret under."""
    path = session.folder / f"Pulumi.{session.target.stack}.yaml"
    config = (yaml.safe_load(path.read_text()) or {}).get("config") or {}
    return {key for key, value in config.items() if isinstance(value, dict) and set(value) == {"secure"}}


def as_text(found: Sequence[Credential], today: date, warn_before: int) -> str:
    heads = ("name", "source", "made", "age", "due", "")
    rows = [heads, *(_row(each, today, warn_before) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", _summary(found, today, warn_before)])


def _row(each: Credential, today: date, warn_before: int) -> tuple[str, ...]:
    age, state = each.age(today), each.state(today, warn_before)
    said = " ".join(
        part for part in ("" if state in ("fine", UNKNOWN) else f"{state}:", each.note or _hint(each, state)) if part
    )
    days = "" if age is None else f"{age} d"
    return (each.name, each.source, str(each.made or ""), days, str(each.due or ""), said.rstrip(":"))


def _hint(each: Credential, state: str) -> str:
    return f"`./infra rotate {each.name}`" if state in (OVERDUE, "due soon") else ""


def _summary(found: Sequence[Credential], today: date, warn_before: int) -> str:
    states = [each.state(today, warn_before) for each in found]
    counted = ((states.count(state), state) for state in (OVERDUE, "due soon", MISSING, UNKNOWN))
    told = ", ".join(f"{count} {state}" for count, state in counted if count)
    return f"{len(found)} credentials{f': {told}' if told else ', none is due'}."


def as_data(found: Sequence[Credential], today: date, warn_before: int) -> str:
    return json.dumps([_data(each, today, warn_before) for each in found], indent=2)


def _data(each: Credential, today: date, warn_before: int) -> dict[str, Any]:
    return {
        "name": each.name,
        "source": each.source,
        "made": each.made.isoformat() if each.made else None,
        "age_days": each.age(today),
        "due": each.due.isoformat() if each.due else None,
        "state": each.state(today, warn_before),
        "note": each.note,
    }
