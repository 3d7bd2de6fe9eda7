"""The types that really act, by token."""

from typing import Any

from rehearsal.offline.plugins import certificates, command, randoms

ACTING: dict[str, Any] = {**command.ACTORS, **randoms.ACTORS, **certificates.ACTORS}
