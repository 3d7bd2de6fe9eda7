"""What the health check needs on the server: the scripts, their settings, and the timer that runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.alerts import NeurmaticAlerts, Threshold
from components.containers.config import ContainersSettings
from components.containers.nginx.answers import HEALTH
from components.host.items import Directory, File, Item, Unit
from components.host.jobs import CONFINED, PYTHON, SHELL, script, service, settings_file, timer, unit_file
from components.notify.items import script_path
from components.site import NeurmaticSite

if TYPE_CHECKING:
    from components.edge.origin import KeyPair
    from components.host.component import VpsHost

MODULES = sorted(path.name for path in (Path(__file__).parent / "onhost").glob("*.py"))
STATE = "/var/lib/neurmatic/health.json"
SERVICE, TIMER = "neurmatic-health.service", "neurmatic-health.timer"
UNITS = ("neurmatic-*", "infra-*", "docker.service", "containerd.service", "fail2ban.service", "ssh.service")
"""Units whose failure is worth a warning."""


@dataclass(frozen=True)
class Watched:
    """What is looked at, and from when it is worth a word."""

    alerts: NeurmaticAlerts
    containers: ContainersSettings
    site: NeurmaticSite
    stack: str
    """As messages call it: neurmatic production."""
    names: str
    """How containers are called; {service} stands for the service."""
    labels: Mapping[str, str]
    root: str
    data: str
    backup_max_age: int

    @property
    def folder(self) -> str:
        return f"{self.root}/infrastructure/health"

    @property
    def script(self) -> str:
        return f"{self.root}/infrastructure/scripts/health-check.sh"


def items(watched: Watched) -> tuple[Item, ...]:
    here, there = Path(__file__).parent / "onhost", f"{watched.folder}/lib/components/health/onhost"
    return (
        Directory(watched.folder),
        *(File(f"{there}/{name}", (here / name).read_text(), reader=PYTHON) for name in MODULES),
        settings_file(f"{watched.folder}/settings.json", told(watched)),
        script(watched.script, entry_text(watched, "main"), SHELL),
        script(f"{watched.root}/infrastructure/scripts/logs", entry_text(watched, "logs"), SHELL),
        unit_file(SERVICE, service_text(watched)),
        unit_file(TIMER, timer_text()),
        Unit(TIMER),
    )


def told(watched: Watched) -> dict[str, Any]:
    """What the scripts read."""
    given, alerts, site = watched.containers, watched.alerts, watched.site
    infrastructure = f"{watched.root}/infrastructure"
    return {
        "stack": watched.stack,
        "names": watched.names,
        "labels": dict(watched.labels),
        "nginx": f"{infrastructure}/nginx",
        "port": 443,
        "pages": {"api": [site.api, given.health_path], "frontend": [site.apex, "/"]},
        "health_path": given.health_path,
        "client": client_certificate(watched.root),
        "ignored_paths": [HEALTH, given.health_path],
        "postgres": {"user": given.postgres.user, "database": given.postgres.database},
        "redis": {"operator": f"{infrastructure}/secrets/redis/operator", "maxmemory": given.redis.maxmemory},
        "disks": ["/", watched.root, watched.data, "/var/lib/docker"],
        "units": list(UNITS),
        "window": alerts.window,
        "healthy": alerts.healthy.model_dump(),
        "limits": limits(alerts),
        "certificate_status": f"{infrastructure}/scripts/certificate-status",
        "backup_status": f"{watched.root}/backups/status.json",
        "backup_max_age": watched.backup_max_age,
        "notify": script_path(watched.root),
        "script": watched.script,
        "state": STATE,
    }


def limits(alerts: NeurmaticAlerts) -> dict[str, dict[str, float]]:
    shares = {name: getattr(alerts, name) for name in type(alerts).model_fields}
    return {
        **{name: each.model_dump() for name, each in shares.items() if isinstance(each, Threshold)},
        "latency": alerts.latency.model_dump(),
        "certificate": alerts.certificate.model_dump(),
    }


def client_certificate(root: str) -> str:
    """With which nginx lets the check in as it lets in Cloudflare."""
    return f"{root}/infrastructure/secrets/health/client.pem"


def write_client(host: VpsHost, root: str, pair: KeyPair) -> None:
    import pulumi  # noqa: PLC0415  `./infra drift` reads the items and needs no engine

    text = pulumi.Output.concat(pair.certificate, pair.key)
    host.secret("health-client", client_certificate(root), text)


def entry_text(watched: Watched, module: str) -> str:
    """-I: nothing that lies around is imported. -B: nothing compiled is left behind."""
    start = (
        f'import sys; sys.path.insert(0, "{watched.folder}/lib"); '
        f"from components.health.onhost.{module} import main; "
        f'sys.exit(main("{watched.folder}/settings.json", sys.argv[1:]))'
    )
    lines = [
        "#!/bin/sh",
        "# --help says what it does, docs/health.md what to do then.",
        f"exec /usr/bin/python3 -IB -c '{start}' \"$@\"",
        "",
    ]
    return "\n".join(lines)


def service_text(watched: Watched) -> str:
    """One run ends by itself within seconds; telling people may take longer."""
    return service(
        ("Description=Whether the product works; people are told of changes",),
        f"ExecStart={watched.script} --watch",
        "TimeoutStartSec=2min",
        "StateDirectory=neurmatic",
        "Nice=5",
        *CONFINED,
    )


def timer_text() -> str:
    return timer("Looks every minute whether the product works", "OnCalendar=minutely", "AccuracySec=5s")
