"""What a deploy asks of the server: what serves, what has served, a backup, and whether visitors get answers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.containers import balancer
from components.containers.onhost import answers
from components.containers.onhost.releases import FILE
from neurmatic.settings import NeurmaticSettings
from ops.errors import OperatorError
from ops.server import Server

BACKUP = "neurmatic-backup-before-deploy.service"
BACKUP_SECONDS = 4 * 3600
SETTLE_SECONDS = 900
SECONDS = 60

Release = Mapping[str, Any]


@dataclass(frozen=True)
class Serving:
    """Containers that visitors are sent to, and the release that they are of; both empty before the first one."""

    containers: frozenset[str]
    release: Release

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Serving:
        return cls(frozenset(name for some in told.get("sets", {}).values() for name in some), told.get("release", {}))


@dataclass(frozen=True)
class Host:
    settings: NeurmaticSettings

    @property
    def folder(self) -> str:
        return f"{self.settings.host.root}/infrastructure/nginx"

    def settle(self) -> Serving:
        """Stops a change that is under way, removes what does not serve, and tells what does."""
        environment = self.settings.environment.value
        labels = {"product": "neurmatic", "environment": environment}
        told = {"action": "settle", "root": self.folder, "labels": labels}
        return Serving.of(json.loads(self._ask(balancer.COMMAND, balancer.told(told), SETTLE_SECONDS)))

    def serving(self) -> Serving:
        text = self._ask(f"sudo -n cat {self.folder}/current/serving.json 2>/dev/null || echo '{{}}'")
        return Serving.of(json.loads(text))

    def history(self) -> list[Release]:
        """Oldest first. A line that was cut off is none."""
        found: list[Release] = []
        for line in self._ask(f"sudo -n cat {self.folder}/{FILE} 2>/dev/null || true").splitlines():
            try:
                found.append(dict(json.loads(line)))
            except ValueError:
                continue
        return found

    def containers(self) -> frozenset[str]:
        return frozenset(self._ask("sudo -n docker ps --all --format '{{.Names}}'").split())

    def lacks(self, images: Sequence[str]) -> list[str]:
        """Those that would have to be pulled."""
        tests = [f"sudo -n docker image inspect {shlex.quote(each)} >/dev/null 2>&1 || echo {each}" for each in images]
        return self._ask("\n".join(tests)).split()

    def can_back_up(self) -> bool:
        return bool(self._ask(f"systemctl cat {BACKUP} >/dev/null 2>&1 && echo yes || true").strip())

    def back_up(self) -> None:
        """Returns when it is taken; its own log says why it was not."""
        done = self._server.run(f"sudo -n systemctl start {BACKUP}", "", BACKUP_SECONDS)
        if done.returncode:
            log = self._ask(f"sudo -n journalctl --unit {BACKUP} --lines 10 --output cat --no-pager || true")
            raise OperatorError(
                "Gate backup: the backup before the deploy failed, so nothing was changed. The last lines of its "
                f"log:\n{log.strip() or done.stderr.strip()}"
            )

    def answer(self) -> dict[str, Any]:
        """To a visitor of the API, through nginx."""
        containers, site = self.settings.containers, self.settings.site
        nginx = f"neurmatic-nginx-{self.settings.environment.value}"
        words = [nginx, containers.network, site.api, containers.health_path]
        script = Path(answers.__file__).read_text()
        return dict(json.loads(self._ask(f"sudo -n python3 -I - {shlex.join(words)}", script)))

    @property
    def _server(self) -> Server:
        return Server(self.settings.host)

    def _ask(self, command: str, stdin: str = "", seconds: float = SECONDS) -> str:
        done = self._server.run(command, stdin, seconds)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise OperatorError(f"{self.settings.host.address} could not be asked: {said[0]}")
        return done.stdout
