"""Every argument of a container with another value that the engine takes as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.containers.application import backend, frontend, load_balancer
from components.containers.config import ContainersSettings, Release
from components.containers.docker import container_arguments
from components.containers.environment import Surroundings
from components.containers.services import Service, postgres, redis
from components.site import NeurmaticSite

RELEASE = Release(version="1.4.2", backend="sha256:" + "a" * 64, frontend="sha256:" + "b" * 64)
SETTINGS = ContainersSettings.model_validate(
    {"postgres": {"database": "neurmatic", "user": "neurmatic", "cpus": 1}, "release": RELEASE}
)
SITE = NeurmaticSite(apex="neurmatic.com", www="www.neurmatic.com", api="api.neurmatic.com")
AROUND = Surroundings("production", SITE, "neurmatic-production-media", "eu-west-1", "neurmatic_a")
# Told to the plugin, and not to the engine.
OF_THE_PLUGIN = frozenset({"must_run", "wait", "wait_timeout", "destroy_grace_seconds"})
# Texts of which the engine takes certain ones alone.
WORDS = {"restart": "always", "log_driver": "local", "stop_signal": "SIGHUP", "network_mode": "bridge"}


SERVICES: tuple[Service, ...] = (
    postgres(SETTINGS.postgres, "/data"),
    redis(SETTINGS.redis, "/data"),
    backend(SETTINGS, RELEASE, 1, AROUND),
    frontend(SETTINGS, RELEASE),
    load_balancer(SETTINGS, "/nginx"),
)


def arguments_of(service: Service, folder: Path) -> dict[str, Any]:
    """With its folders below this one, and without ports of this machine."""
    given = container_arguments(service, SETTINGS, "/secrets")
    mounts = [{**each, "source": f"{folder}{each['source']}"} for each in given["mounts"]]
    return {**given, "mounts": mounts, "cpus": "1.0"}


def another(name: str, value: Any) -> Any:
    if name in WORDS:
        return WORDS[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        # No more memory than with swap.
        return value - 8 if name == "memory" else value + 8
    if isinstance(value, str):
        return "0.5" if name == "cpus" else "12:12" if name == "user" else "another.slice"
    return _other_list(name, value) if isinstance(value, list) else _other_mapping(name, value)


def _other_list(name: str, value: list[Any]) -> list[Any]:
    if name in ("envs", "entrypoints", "command"):
        return [*value, "X=1"]
    return value[1:]


def _other_mapping(name: str, value: dict[str, Any]) -> dict[str, Any]:
    if name == "healthcheck":
        return {**value, "interval": "77s", "tests": [*value["tests"], "x"]}
    if name == "log_opts":
        return {**value, "max-size": "1m"}
    if name == "capabilities":
        return {"drops": ["CAP_CHOWN"]}
    return {**value, "/another": "rw"}


def camel(value: Any) -> Any:
    """As the engine hands it to the plugin."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    words = {key: key.split("_") for key in value}
    return {head + "".join(word.title() for word in rest): camel(value[key]) for key, (head, *rest) in words.items()}
