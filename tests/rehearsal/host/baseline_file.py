"""What is known to be left, each with its reason. The file may only get shorter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).with_name("baseline.yaml")


def load(judge: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(PATH.read_text())[judge]
    return found


def changes(found: Iterable[str], excepted: Mapping[str, str]) -> list[str]:
    """What is new, and what is in the file although nobody finds it any more. Empty: as written."""
    seen = set(found)
    new = [
        f"{each}: new; correct it, or write it to {PATH.name} with a reason" for each in sorted(seen - set(excepted))
    ]
    gone = [f"{each}: found no more; take it out of {PATH.name}" for each in sorted(set(excepted) - seen)]
    bare = [f"{each}: in {PATH.name} without a reason" for each, reason in sorted(excepted.items()) if not reason]
    return [*new, *gone, *bare]
