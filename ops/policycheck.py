"""What a stack file says to the policy pack, read by the pack's own reader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ops.target import POLICY_PACK

PREFIX = "policy:"


def policy_mistakes(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The key and a sentence about it; the pack knows the rules, so it is asked, but only if there is a question."""
    given = {key[len(PREFIX) :]: value for key, value in config.items() if key.startswith(PREFIX)}
    if not given:
        return
    asked = subprocess.run(
        [sys.executable, str(POLICY_PACK / "check.py")],
        input=json.dumps(given, default=str),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        sentence = asked.stdout.strip() or f"{PREFIX} the policy pack could not read it"
        section = sentence.removeprefix(PREFIX).partition(":")[0].partition(".")[0]
        yield f"{PREFIX}{section}", sentence
