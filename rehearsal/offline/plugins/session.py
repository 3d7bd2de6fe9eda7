"""What a plugin knows of the engine run it serves, and the values that its emulated account has."""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.store import Store
from rehearsal.offline.plugins.wire import Values

ACCOUNT = "123456789012"  # as the emulated AWS has it
MARKER = "rehearsal.json"
LogLine = Callable[..., None]  # the resource's URN, the line, and its severity unless it is "info"
_NO_MACHINE = (
    "This rehearsal has no machine: commands over SSH and containers keep their state only."
    " './infra rehearse up' boots one."
)


@dataclass
class Session:
    """One engine run in one rehearsal."""

    folder: str
    environment: dict[str, str]
    log: LogLine = lambda _urn, _line, _severity="info": None
    marker: Values = field(default_factory=dict)
    _said: ClassVar[set[str]] = set()

    @property
    def home(self) -> Path:
        """The engine's home, which must be a rehearsal's."""
        return Path(self.environment.get("PULUMI_HOME") or Path.home() / ".pulumi")

    @property
    def store(self) -> Store:
        """The objects that exist in this rehearsal."""
        return Store(self.home / "clouds")

    def admit(self) -> None:
        """Refuse to serve anything that is not the rehearsal these plugins were installed for."""
        try:
            self.marker = json.loads((self.home / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refusal(
                f"This is a stand-in plugin of a rehearsal, and {self.home} is not one (no readable {MARKER}):"
                " a real stack needs the official plugin. Unset PULUMI_HOME, or set it to the rehearsal's."
            ) from error
        backend = _backend(self.home, self.environment)
        if backend not in self.marker.get("backends", ()):
            raise Refusal(
                f"This is a stand-in plugin of the rehearsal in {self.home}, and the state is kept in"
                f" {_without_password(backend) or 'Pulumi Cloud'}, which is not the rehearsal's own backend:"
                " a real stack needs the official plugins."
            )

    def acts(self) -> bool:
        """Say whether there is a machine to act on; that there is none is said once in every run."""
        if self.marker.get("machine"):
            return True
        if _NO_MACHINE not in self._said:
            self._said.add(_NO_MACHINE)
            self.log("", _NO_MACHINE)
        return False

    def admit_host(self, host: str) -> None:
        """Refuse to reach for a server that is not the rehearsal's own."""
        if host not in self.marker["machine"]:
            raise Refusal(
                f"{host} is not this rehearsal's machine ({' or '.join(self.marker['machine'])}):"
                " a rehearsal never reaches another server."
            )


def _backend(home: Path, environment: dict[str, str]) -> str:
    if url := environment.get("PULUMI_BACKEND_URL"):
        return url
    try:
        return str(json.loads((home / "credentials.json").read_text())["current"])
    except (OSError, ValueError, KeyError):
        return ""


def _without_password(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//", url)


def render(template: Any, properties: Values) -> Any:
    """Fill a table's template with the object's properties and with fresh identifiers."""
    if not isinstance(template, str):
        return template
    return template.format_map(_Values(properties))


class _Values(Values):
    def __missing__(self, key: str) -> str:
        if match := re.fullmatch(r"(hex)(\d+)", key, re.IGNORECASE):
            digits = secrets.token_hex(int(match[2]))[: int(match[2])]
            return digits.upper() if match[1] == "HEX" else digits
        return {"account": ACCOUNT, "path": "/", "now": now()}.get(key, "")


def now() -> str:
    """Give the time as the clouds write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
