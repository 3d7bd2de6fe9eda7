"""What `./infra up` does about drift that the engine cannot see: files are written again, containers made anew.

What needs no other container is put right on the server, by the converge (components/containers/onhost/drift.py). The
rest is named at the end of a line of the report, by the resource that has to do it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.containers.config import Allow, ContainersSettings
from components.containers.felt import FELT, Change
from components.host.report import Report
from ops.errors import OperatorError
from ops.server_look import settings_of
from ops.session import Session, say

LINE = re.compile(r"^-(?P<what>.*) \(`up` (?P<how>makes it anew|writes it again): (?P<resources>[^)]+)\)$")
ANEW = "makes it anew"
ITEM = "live:containers"


@dataclass(frozen=True)
class Left:
    """A line that is left for the engine."""

    what: str
    how: str
    resources: tuple[str, ...]

    def felt(self) -> Change | None:
        """A container that runs and cannot stand beside its successor. One that is gone is missed already."""
        service = next((name for name in FELT if self.resources[0].endswith(f"-{name}")), None)
        if service is None or self.how != ANEW or self.what.endswith("is gone"):
            return None
        return Change(service, (self.what,))


def left_for_the_engine(report: Report) -> list[Left]:
    rows = [row for line in report.lines if line.item == ITEM for row in line.diff.splitlines()]
    found = (LINE.match(row) for row in rows)
    return [Left(each["what"], each["how"], tuple(each["resources"].split())) for each in found if each]


def repairs(session: Session, report: Report) -> list[str]:
    """Options for `pulumi up`. A container that is not there any more leaves the state first, so that it is made."""
    left = left_for_the_engine(report)
    if not left:
        return []
    settings = settings_of(session)
    if isinstance(containers := getattr(settings, "containers", None), ContainersSettings):
        refuse_what_is_felt(left, containers.allow)
    anew = {name for each in left if each.how == ANEW for name in each.resources}
    targets = [word for urn in urns(session, anew) for word in ("--target", urn)]
    if targets:
        say(f"Taking stock of {', '.join(sorted(anew))}.")
        session.ask("refresh", "--yes", "--skip-preview", *targets)
    names = {name for each in left for name in each.resources}
    return [word for urn in urns(session, names) for word in ("--replace", urn)]


def refuse_what_is_felt(left: Iterable[Left], allow: Allow) -> None:
    found = [change for each in left if (change := each.felt()) and not change.allowed(allow)]
    if found:
        raise OperatorError("\n".join(["Nothing was changed.", *(change.refusal() for change in found)]))


def urns(session: Session, names: Iterable[str]) -> Iterator[str]:
    wanted = set(names)
    deployment = json.loads(session.ask("stack", "export")).get("deployment") or {}
    for each in deployment.get("resources") or []:
        if each["urn"].rpartition("::")[2] in wanted and not each.get("delete"):
            yield str(each["urn"])
