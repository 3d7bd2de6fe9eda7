"""What `up` has made, in the words of the comparison on the server: pure, for the program and for `./infra drift`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.containers.config import ContainersSettings
from components.containers.docker import container_arguments
from components.containers.felt import FELT
from components.containers.services import Service
from components.host.items import Item, Live
from components.host.jobs import script

SCRIPT = Path(__file__).parent / "onhost" / "drift.py"
MEGABYTE, SECOND = 2**20, 10**9
# As docker.Container calls them, beside the words of the record; what the engine keeps as it is told.
SAME = {"user": "user", "restart": "restart", "slice": "cgroup_parent", "read_only": "read_only"}


def installed(root: str) -> str:
    return f"{root}/infrastructure/scripts/drift"


def drift_items(settings: ContainersSettings, root: str) -> tuple[Item, ...]:
    """The comparison, and what puts right as much as can be without another container."""
    path = installed(root)
    may_stop = [name for name, felt in FELT.items() if getattr(settings.allow, felt.allow)]
    return (
        script(path, SCRIPT.read_text()),
        Live("containers", (path, "show"), (), repair=((path, "repair", *may_stop),), partly=True),
    )


def wanted(service: Service, settings: ContainersSettings, secrets: str) -> dict[str, Any]:
    return facts(container_arguments(service, settings, secrets), settings.network)


def facts(given: Mapping[str, Any], network: str) -> dict[str, Any]:
    """A container's arguments in the words of the comparison (`seen` in onhost/drift.py)."""
    return {
        **{ours: given[theirs] for ours, theirs in SAME.items()},
        "state": "running",
        "entrypoint": given.get("entrypoints", []),
        "command": given.get("command", []),
        "environment": dict(each.split("=", 1) for each in given["envs"]),
        "healthcheck": _health(given["healthcheck"]),
        "cpus": float(given["cpus"]),
        "memory": given["memory"] * MEGABYTE,
        "memory_swap": given["memory_swap"] * MEGABYTE,
        "shared_memory": given["shm_size"] * MEGABYTE,
        "other_limits": {},
        "log": {"driver": given["log_driver"], **given["log_opts"]},
        "privileged": given["privileged"],
        "capabilities": {"added": [], "dropped": given["capabilities"]["drops"]},
        "security": given["security_opts"],
        "memory_folders": given["tmpfs"],
        "mounts": sorted(_mount(each) for each in given["mounts"]),
        "ports": sorted(f"{each['ip']}:{each['external']}->{each['internal']}/tcp" for each in given["ports"]),
        "networks": {network: "joined"},
        "stop": {"signal": given["stop_signal"], "seconds": given["stop_timeout"]},
    }


def _health(given: Mapping[str, Any]) -> dict[str, Any]:
    spans = {"interval": "interval", "timeout": "timeout", "startperiod": "start_period"}
    return {
        "test": given["tests"],
        "retries": given["retries"],
        **{ours: _seconds(given[theirs]) * SECOND for ours, theirs in spans.items()},
    }


def _seconds(span: str) -> int:
    minutes, _, rest = span.removesuffix("s").rpartition("m")
    return int(minutes or 0) * 60 + int(rest)


def _mount(given: Mapping[str, Any]) -> str:
    return f"{given['source']}:{given['target']}" + (":ro" if given["read_only"] else "")
