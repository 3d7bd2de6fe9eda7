"""Something that is not as desired, and how it is put right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

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
    """Many items, one program: the first fix does the work of all, the others have nothing left to do."""
    names: list[str] = []

    def of(name: str) -> Callable[[], None]:
        names.append(name)

        def fix() -> None:
            if names:
                wanted, names[:] = names[:], []
                collect(wanted)

        return fix

    return of
