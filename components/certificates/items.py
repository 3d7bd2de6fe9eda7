"""What the origin's certificate needs on the server: the scripts, their settings, certbot's hook and the timer."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.containers.config import Certificates
from components.host.items import Directory, File, Item, Package, Unit
from components.host.jobs import CONFINED, PYTHON, script, service, timer, unit_file

CERTBOT = "/etc/letsencrypt"
CLOUDFLARE = "https://api.cloudflare.com/client/v4"
DNS_SECONDS = 15
"""Cloudflare's name servers know a new record within a few seconds."""
SERVICE = "neurmatic-certificate.service"
TIMER = "neurmatic-certificate.timer"
REPOSITORY = Path(__file__).parent.parent.parent
MAIN = "components.certificates.onhost.main"


@dataclass(frozen=True)
class Subject:
    """Whose certificate it is, and where nginx finds it."""

    settings: Certificates
    names: tuple[str, ...]
    root: str
    container: str
    """nginx's."""
    user: str
    """Whose the key has to be: UID:GID of nginx."""
    zone_id: str
    cloudflare: str = CLOUDFLARE
    dns_seconds: int = DNS_SECONDS

    @property
    def folder(self) -> str:
        return f"{self.root}/infrastructure/certificates"

    @property
    def scripts(self) -> str:
        return f"{self.root}/infrastructure/scripts"

    @property
    def token(self) -> str:
        return f"{self.root}/infrastructure/secrets/certificates/cloudflare-token"

    @property
    def origin(self) -> str:
        return f"{self.root}/infrastructure/secrets/certificates/origin.pem"


def items(subject: Subject, packages: tuple[str, ...] = ()) -> tuple[Item, ...]:
    """`packages`: what the server gets anyway."""
    asks = not subject.settings.by_cloudflare
    return (
        *([Package("certbot")] if asks and "certbot" not in packages else []),
        *_scripts(subject),
        *(_hook(subject) if asks else ()),
        Unit(TIMER),
        Unit(SERVICE, enabled="disabled", active=None),
        # It would renew at times of its own.
        Unit("certbot.timer", enabled="disabled", active=False, optional=True),
        unit_file(SERVICE, service_text(subject)),
        unit_file(TIMER, timer_text()),
    )


def _scripts(subject: Subject) -> tuple[Item, ...]:
    return (
        Directory(subject.folder),
        *(File(f"{subject.folder}/lib/{path}", text, reader=PYTHON) for path, text in sorted(modules(MAIN).items())),
        File(f"{subject.folder}/settings.json", told(subject)),
        script(f"{subject.scripts}/certificate", entry_text(subject, "")),
        script(f"{subject.scripts}/certificate-status", entry_text(subject, "status")),
    )


def modules(name: str) -> dict[str, str]:
    """Path -> text of a module and of what it imports from this repository."""
    path = f"{name.replace('.', '/')}.py"
    if not (REPOSITORY / path).is_file():
        return {}
    text = (REPOSITORY / path).read_text()
    found = {path: text}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("components."):
            for each in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                found |= modules(each)
    return found


def _hook(subject: Subject) -> tuple[Item, ...]:
    """For who runs `certbot renew` by hand."""
    text = f"#!/bin/sh\nexec {subject.scripts}/certificate install\n"
    return (
        Directory(CERTBOT),
        Directory(f"{CERTBOT}/renewal-hooks"),
        Directory(f"{CERTBOT}/renewal-hooks/deploy"),
        File(f"{CERTBOT}/renewal-hooks/deploy/neurmatic-nginx", text, mode="0755"),
    )


def told(subject: Subject) -> str:
    """What the scripts read."""
    given = subject.settings
    document: dict[str, Any] = {
        "names": list(subject.names),
        "issuer": given.issuer.value,
        "email": given.email,
        "directory": given.directory,
        "renew_before": given.renew_before,
        "nginx": f"{subject.root}/infrastructure/nginx",
        "container": subject.container,
        "user": subject.user,
        "certbot": CERTBOT,
        "script": f"{subject.scripts}/certificate",
        "notify": f"{subject.scripts}/notify",
        "state": "/var/lib/neurmatic/certificate.json",
        "cloudflare": subject.cloudflare,
        "zone_id": subject.zone_id,
        "token": subject.token,
        "dns_seconds": subject.dns_seconds,
        "origin": subject.origin,
    }
    return f"{json.dumps(document, indent=2, sort_keys=True)}\n"


def entry_text(subject: Subject, verb: str) -> str:
    """-I: nothing that lies around is imported. -B: nothing compiled is left behind."""
    lines = [
        "#!/usr/bin/python3 -IB",
        "import sys",
        "",
        f'sys.path.insert(0, "{subject.folder}/lib")',
        *([f'sys.argv.insert(1, "{verb}")'] if verb else []),
        f"from {MAIN} import main",
        "",
        f'main("{subject.folder}/settings.json")',
        "",
    ]
    return "\n".join(lines)


def service_text(subject: Subject) -> str:
    return service(
        (
            "Description=The origin's certificate: issued, renewed, and what nginx serves",
            "After=docker.service network-online.target",
            "Wants=network-online.target",
        ),
        f"ExecStart={subject.scripts}/certificate keep",
        "TimeoutStartSec=30min",
        *CONFINED,
        f"ReadWritePaths=-{CERTBOT}",
    )


def timer_text() -> str:
    """Often, because a look costs nothing; when the authority is asked is the script's to decide."""
    return timer(
        "Looks after the origin's certificate", "OnCalendar=*:00/15", "RandomizedDelaySec=10min", "Persistent=true"
    )
