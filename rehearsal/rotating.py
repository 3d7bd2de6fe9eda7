"""A rotation under load with everything that could be seen of it meanwhile: for the tests of rotation and of leaks."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from rehearsal.leaks.machine import Sampled, sampling
from rehearsal.leaks.secrets import secrets_of
from rehearsal.load import Seen, asking
from rehearsal.whole import WholeStack


@dataclass(frozen=True)
class Rotation:
    before: dict[str, str]
    """Every secret as it was until then."""
    done: subprocess.CompletedProcess[str]
    seen: Seen
    sampled: Sampled


def rotated(whole: WholeStack, *names: str) -> Rotation:
    before = secrets_now(whole)
    with sampling(whole.machine) as sampled, asking(whole.target(), "rotate") as seen:
        done = whole.infra("rotate", *names, "--yes")
    return Rotation(before, done, seen, sampled)


def secrets_now(whole: WholeStack) -> dict[str, str]:
    state = whole.pulumi("stack", "export", "--show-secrets")
    config = whole.pulumi("config", "--show-secrets", "--json")
    return secrets_of(json.loads(state.stdout), json.loads(config.stdout))
