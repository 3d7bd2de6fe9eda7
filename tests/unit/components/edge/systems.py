"""Both systems as their committed stack files describe them, with what a test wants to be otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from components.edge.config import EdgeSettings, PlatformEdge
from components.settings import parse
from components.site import NeurmaticSite, NeuropilotSite
from edgerules.zone import Document, Zone, build
from neurmatic.settings import NeurmaticSettings
from neuropilot.settings import NeuropilotSettings

ROOT = Path(__file__).parents[4]
STACKS = {"neurmatic": ROOT, "neuropilot": ROOT / "neuropilot"}
PRODUCTION = {system: folder / "Pulumi.production.yaml" for system, folder in STACKS.items()}
CASES = {system: ROOT / system / "edge.cases.yaml" for system in STACKS}
IPV4, IPV6 = "198.51.100.10", "2001:db8::10"
OFFICE = "203.0.113.0/24"


def neurmatic(stack: str = "production", **edge: Any) -> tuple[EdgeSettings, NeurmaticSite]:
    settings = parse(NeurmaticSettings, _stack_file("neurmatic", stack), rehearsal=True)
    return settings.edge.model_copy(update=edge), settings.site


def with_office(site: NeurmaticSite) -> NeurmaticSite:
    """With one known address, which the stack file does not have yet."""
    return site.model_copy(update={"admin": site.admin.model_copy(update={"addresses": (OFFICE,)})})


def neuropilot(stack: str = "production", **edge: Any) -> tuple[PlatformEdge, NeuropilotSite]:
    settings = parse(NeuropilotSettings, _stack_file("neuropilot", stack), rehearsal=True)
    return settings.edge.model_copy(update=edge), settings.site


SYSTEMS = {"neurmatic": neurmatic, "neuropilot": neuropilot}


def built(zone: dict[str, Any]) -> Zone:
    return build(Document("zone", zone))


def _stack_file(system: str, stack: str) -> dict[str, Any]:
    config = yaml.safe_load((STACKS[system] / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.partition(":")[2]: value for key, value in config.items() if key.startswith(f"{system}:")}
