"""The types that do more than keep their inputs, by token."""

import importlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.behaviour import Rules
from rehearsal.offline.plugins.clouds import InCloud
from rehearsal.offline.plugins.kept import NEEDS, Container, Subject, Zone
from rehearsal.offline.plugins.session import MARKER, Session

_ACTING = {
    "command": ("command", "remote"),
    "docker": ("containers", "objects"),
    "random": ("randoms",),
    "tls": ("certificates",),
    "aws": ("buckets", "identities"),
    "cloudflare": ("zones",),
}
_WITHOUT = {"docker:index/container:Container": Container(), "cloudflare:index/zone:Zone": Zone()}


def actors(plugin: str, there: Mapping[str, Any]) -> dict[str, Any]:
    """Load what one plugin needs to act on what is there; without it, state is kept and nothing else."""
    if plugin in NEEDS and not there.get(NEEDS[plugin]):
        return dict(_WITHOUT)
    modules = [importlib.import_module(f"rehearsal.offline.plugins.{name}") for name in _ACTING[plugin]]
    return {token: actor for module in modules for token, actor in module.ACTORS.items()}


def find(home: Path, token: str, given: dict[str, Any], taken: Collection[str]) -> str | None:
    """Give the id of what a run that was killed has made of these inputs, where the clouds have it."""
    session = Session(str(home), {"PULUMI_HOME": str(home)})
    session.marker = json.loads((home / MARKER).read_text(encoding="utf-8"))
    actor = actors(token.split(":", maxsplit=1)[0], session.marker).get(token)
    if not isinstance(actor, InCloud):
        return None
    subject = Subject(token, "", "", {"inputs": {}, "outputs": {}}, Rules(), session)
    identity = actor.find(subject, given, taken)
    return None if identity in taken else identity
