"""The two systems: where each lives, its settings and the secrets that it asks for."""

from __future__ import annotations

from components.settings import StackSettings


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
