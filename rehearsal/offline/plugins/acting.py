"""The types that do more than keep their inputs, by token."""

import importlib
from typing import Any

from rehearsal.offline.plugins.kept import Container, Zone

_MODULES = {"command": ("command", "remote"), "random": ("randoms",), "tls": ("certificates",)}


def actors(plugin: str) -> dict[str, Any]:
    """Load what one plugin needs to act: certificates, for one, import a large package."""
    if plugin not in _MODULES:
        return {"cloudflare:index/zone:Zone": Zone(), "docker:index/container:Container": Container()}
    modules = [importlib.import_module(f"rehearsal.offline.plugins.{name}") for name in _MODULES[plugin]]
    return {token: actor for module in modules for token, actor in module.ACTORS.items()}
