"""A change that is felt needs an opt-in, and nothing has happened when it is refused: plain `pulumi` asks here as well.

What stands now is read from the stack's own outputs, as another program would by a StackReference. They are written
when an `up` has come to its end, so that one that broke off is compared with the last one that did not.
"""

from __future__ import annotations

import time
from typing import Any, cast

import pulumi

from components.containers.config import Allow
from components.containers.felt import Change, Made, changes, left_on

STANDING = "standing"
READ = "pulumi:pulumi:readStackOutputs"

TRIES, PAUSE = 20, 0.1


def must_be_allowed(allow: Allow, now: Made) -> None:
    """Before anything is registered: the first sentence for each of the three that would be felt."""
    found = changes(last_standing(), now)
    refused = [change for change in found if not change.allowed(allow)]
    if refused:
        raise pulumi.RunError("\n".join(["Nothing was changed.", *(change.refusal() for change in refused)]))
    for note in notes(allow, found):
        pulumi.log.warn(note)


def notes(allow: Allow, found: list[Change]) -> list[str]:
    return [
        *(f"{change.sentence()} Allowed by containers.allow.{change.felt.allow}." for change in found),
        *(
            f"containers.allow.{name} is on and nothing needs it: take it out, so that the next change is seen."
            for name in left_on(allow, found)
        ),
    ]


def last_standing() -> Made | None:
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    found = (_outputs(stack) or {}).get(STANDING)
    return cast(Made, found) if isinstance(found, dict) else None


def _outputs(stack: str) -> dict[str, Any] | None:
    """In a folder (file://) the state is written in place, and the engine may be at it: then it reads as cut off."""
    for left in range(TRIES - 1, -1, -1):
        try:
            read = cast(Any, pulumi.runtime.invoke(READ, {"name": stack})).value or {}
        except Exception as error:
            if not left or "checkpoint" not in str(error):
                raise pulumi.RunError(f"What stands now cannot be read from the state of {stack}: {error}") from None
            time.sleep(PAUSE)
        else:
            return cast("dict[str, Any] | None", read.get("outputs"))
    return None
