"""One finding of the linter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

DOCS = "https://developers.cloudflare.com/"
ERROR, WARNING, INFO = "error", "warning", "info"
_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}


@dataclass(frozen=True)
class Finding:
    """`error`: Cloudflare refuses it, or it cannot do what it says. `warning`: probably a mistake.

    `rule` is the ref (empty for the zone as a whole), `column` counts in the rule's expression.
    """

    code: str
    severity: str
    message: str
    rule: str = ""
    phase: str = ""
    column: int | None = None
    line: int | None = None
    reference: str = DOCS

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    def text(self, file: str) -> str:
        place = f"{file}:{self.line}" if self.line else file
        rule = f"rule {self.rule}" + (f", column {self.column}" if self.column else "") + ": " if self.rule else ""
        message = self.message if self.message.endswith(".") else self.message + "."
        return f"{place}: {self.severity}: {rule}{message} [{self.code}, {self.reference}]"

    @property
    def order(self) -> tuple[int, int, str]:
        return _ORDER[self.severity], self.line or 0, self.code
