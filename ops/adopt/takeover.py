"""What the server is asked and told by `./infra adopt`, each in one round trip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from components.containers import takeover
from neurmatic.place import place
from neurmatic.settings import NeurmaticSettings
from ops.errors import OperatorError
from ops.server import Server

LOOK_SECONDS, LONG = 120, 4 * 3600
Facts = dict[str, Any]


@dataclass(frozen=True)
class Takeover:
    settings: NeurmaticSettings

    def look(self) -> Facts:
        return self._ask("look", LOOK_SECONDS)

    def back_up(self) -> Facts:
        return self._ask("backup")

    def ready(self) -> Facts:
        return self._ask("ready")

    def take(self) -> Facts:
        return self._ask("take")

    def sweep(self, known: list[str]) -> list[str]:
        return list(self._ask("sweep", known=known)["removed"])

    def done(self) -> Facts:
        return self._ask("done")

    def back(self) -> Facts:
        return self._ask("back")

    def _ask(self, action: str, seconds: float = LONG, **more: Any) -> Facts:
        wanted = takeover.wanted(self.settings.containers, place(self.settings), self.settings.site.api)
        done = Server(self.settings.host).run(*takeover.told(action, {**wanted, **more}), seconds)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise OperatorError(f"{self.settings.host.address}: {said[0]}")
        return dict(json.loads(done.stdout))
