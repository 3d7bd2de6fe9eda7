"""The two systems: where each lives, its settings, the secrets that it asks for, and what it wants on its server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.settings import StackSettings

if TYPE_CHECKING:
    from components.host.items import Item


def model_of(system: str) -> type[StackSettings]:
    # Each model takes a moment to import, and a verb needs one of them.
    if system == "neuropilot":
        from neuropilot.settings import NeuropilotSettings  # noqa: PLC0415

        return NeuropilotSettings
    from neurmatic.settings import NeurmaticSettings  # noqa: PLC0415

    return NeurmaticSettings


def secrets_of(system: str) -> list[str]:
    """Every secret key that the system knows, with its namespace."""
    model = model_of(system)
    return [f"{model.PROJECT}:{spec.key}" for spec in model.SECRETS]


def server_items(settings: StackSettings) -> Sequence[Item]:
    """What the system's program gives its VpsHost besides the server's own settings."""
    from neurmatic.server import items as neurmatic_items  # noqa: PLC0415  as above
    from neurmatic.settings import NeurmaticSettings  # noqa: PLC0415
    from neuropilot.server import items as neuropilot_items  # noqa: PLC0415
    from neuropilot.settings import NeuropilotSettings  # noqa: PLC0415

    if isinstance(settings, NeuropilotSettings):
        return neuropilot_items(settings)
    return neurmatic_items(settings) if isinstance(settings, NeurmaticSettings) else ()
