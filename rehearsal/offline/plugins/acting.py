"""The types that do more than keep their inputs, by token."""

import importlib
from typing import Any

from rehearsal.offline.plugins.kept import Container, Zone

_ACTING = {
    "command": ("command", "remote"),
    "docker": ("containers", "objects"),
    "random": ("randoms",),
    "tls": ("certificates",),
}


def actors(plugin: str, machine: bool) -> dict[str, Any]:
    """Load what one plugin needs to act: certificates, for one, import a large package."""
    if plugin == "docker" and not machine:
        return {"docker:index/container:Container": Container()}
    if plugin not in _ACTING:
        return {"cloudflare:index/zone:Zone": Zone()}
    modules = [importlib.import_module(f"rehearsal.offline.plugins.{name}") for name in _ACTING[plugin]]
    return {token: actor for module in modules for token, actor in module.ACTORS.items()}
