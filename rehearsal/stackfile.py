"""The rehearsal's stack file, made from the committed one. Every difference between the two is one of these.

- secrets: the provider becomes a passphrase, and each secret a stand-in that was generated here;
- data is disposable, so that a rehearsal can leave nothing behind;
- what the committed file leaves open for its owner (see `components.settings`) is filled in;
- with a machine: the server is that machine, with its address, first user, host key and key, and no container is
  given more CPUs than it has, because Docker would refuse that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

# Secrets of the real stack belong to its own provider; here they would neither be readable nor wanted.
DROPPED = ("secretsprovider", "encryptedkey", "encryptionsalt")
STAND_IN = "rehearsal-"


@dataclass(frozen=True)
class Server:
    """What the stack file says of a machine."""

    address: str
    user: str
    host_key: str
    public_key: str
    cpus: float
    port: int = 22


# For plugins that would knock at any door: a name that no name server knows.
NO_SERVER = Server("no-machine.invalid", "nobody", "ssh-ed25519 " + "A" * 68, "ssh-ed25519 " + "A" * 68, cpus=4)


def rehearse(text: str, project: str, server: Server | None = None, settings: Mapping[str, Any] | None = None) -> str:
    """`settings` are laid over the rest: what one rehearsal wants to be different, by the stack file's own keys."""
    document: dict[str, Any] = yaml.safe_load(text) or {}
    kept = {key: value for key, value in document.items() if key not in DROPPED}
    config = without_secrets(kept.get("config") or {})
    config[f"{project}:data"] = "disposable"
    if server and f"{project}:host" in config:
        config = laid_over(config, {f"{project}:{key}": value for key, value in on(server, config, project).items()})
    return yaml.safe_dump({**kept, "config": laid_over(config, settings or {})}, sort_keys=False)


def on(server: Server, config: Mapping[str, Any], project: str) -> dict[str, Any]:
    """The sections of a stack file that differ when the server is this one."""
    host = {
        "address": server.address,
        "capacity": {"cpus": server.cpus},
        "ssh": {"user": server.user, "port": server.port, "host_key": server.host_key},
        "deploy": {"keys": [server.public_key]},
    }
    smaller = {name: {"cpus": server.cpus} for name in too_large(config.get(f"{project}:containers"), server.cpus)}
    return {"host": host, **({"containers": smaller} if smaller else {})}


def too_large(containers: Mapping[str, Any] | None, cpus: float) -> Iterator[str]:
    """The containers that may use more CPUs than there are."""
    if containers is None:
        return
    from components.containers.config import ContainersSettings  # noqa: PLC0415  only a rehearsal with a machine asks

    for name, section in ContainersSettings.model_fields.items():
        fields = getattr(section.annotation, "model_fields", {})
        if "cpus" in fields and (containers.get(name) or {}).get("cpus", fields["cpus"].default) > cpus:
            yield name


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Sections merge key by key; everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        merged[key] = laid_over(lower, value) if isinstance(lower, dict) and isinstance(value, Mapping) else value
    return merged


def zones(text: str) -> dict[str, dict[str, str]]:
    """The zones that a stack file takes for existing, by id: name, plan and account."""
    config = (yaml.safe_load(text) or {}).get("config", {})
    sections = [value for key, value in config.items() if key.endswith(":edge")]
    return {str(edge["zone_id"]): _zone(edge) for edge in sections if {"zone_id", "zone"} <= edge.keys()}


def _zone(edge: Mapping[str, Any]) -> dict[str, str]:
    from components.edge.config import EdgeSettings  # noqa: PLC0415  the callers have imported it by then

    plan = edge.get("plan") or EdgeSettings.model_fields["plan"].default.value
    account = {"account_id": str(edge["account_id"])} if edge.get("account_id") else {}
    return {"name": str(edge["zone"]), "plan": str(plan), **account}


def without_secrets(value: Any) -> Any:
    """What is encrypted goes, at any depth: nothing here may ask the real stack's provider for it."""
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items() if not is_secret(item)}
    return [without_secrets(item) for item in value if not is_secret(item)] if isinstance(value, list) else value


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def stand_in(key: str) -> str:
    """A value for one secret: the same in every preview, and recognisable for the plugins that refuse any other."""
    return STAND_IN + hashlib.sha256(key.encode()).hexdigest()
