"""Something that is not as desired, and how it is put right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from components.host.converge.host import Trouble
from components.host.items import Item
from components.host.report import CHANGED, Line

LONGEST = 6000


@dataclass
class Difference:
    """`fix` None: nothing can be written. `before`: what the script needs to know to take the item back one day."""

    item: Item | None
    reason: str
    diff: str = ""
    fix: Callable[[], None] | None = None
    before: dict[str, Any] = field(default_factory=dict)
    state: str = CHANGED
    key: str = ""

    def line(self, state: str = "", reason: str = "") -> Line:
        key = self.key or (self.item.key if self.item else "")
        return Line(key, state or self.state, reason or self.reason, self.diff)


def compare(old: Iterable[str], new: Iterable[str], name: str) -> str:
    text = "\n".join(difflib.unified_diff(list(old), list(new), f"{name} (now)", f"{name} (desired)", lineterm="", n=1))
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n... (cut)"


def at_once(collect: Callable[[list[str]], None]) -> Callable[[str], Callable[[], None]]:
    """Many items, one program: the first fix does the work of all. What fails together is tried one by one, so that
    the trouble is told of the right item and the others are put right."""
    waiting: list[str] = []
    troubles: dict[str, Trouble] = {}

    def do_all() -> None:
        names, waiting[:] = waiting[:], []
        try:
            collect(names)
        except Trouble as trouble:
            if len(names) == 1:
                troubles[names[0]] = trouble
                return
            for name in names:
                try:
                    collect([name])
                except Trouble as one:
                    troubles[name] = one

    def of(name: str) -> Callable[[], None]:
        waiting.append(name)

        def fix() -> None:
            if waiting:
                do_all()
            if name in troubles:
                raise troubles[name]

        return fix

    return of
