"""What the origin's certificate needs on the server: the scripts, their settings, certbot's hook and the timer."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.containers.config import Certificates
from components.host.items import Directory, File, Item, Package, Reader, Unit

CERTBOT = "/etc/letsencrypt"
CLOUDFLARE = "https://api.cloudflare.com/client/v4"
DNS_SECONDS = 15
"""Cloudflare's name servers know a new record within a few seconds."""
SERVICE = "neurmatic-certificate.service"
TIMER = "neurmatic-certificate.timer"
REPOSITORY = Path(__file__).parent.parent.parent
MAIN = "components.certificates.onhost.main"
# Reads a script as Python does, without leaving a compiled one behind.
PYTHON = Reader(("python3", "-I", "-c", "import ast,sys;ast.parse(open(sys.argv[1]).read())", "{candidate}"))
RELOAD = (("systemctl", "daemon-reload"),)


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
    drain: int
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
        *_units(),
        # It would renew at times of its own.
        Unit("certbot.timer", enabled="disabled", active=False, optional=True),
        File(f"/etc/systemd/system/{SERVICE}", service_text(subject), on_change=RELOAD),
        File(f"/etc/systemd/system/{TIMER}", timer_text(), on_change=RELOAD),
    )


def _scripts(subject: Subject) -> tuple[Item, ...]:
    return (
        Directory(subject.folder),
        *(File(f"{subject.folder}/lib/{path}", text, reader=PYTHON) for path, text in sorted(modules(MAIN).items())),
        File(f"{subject.folder}/settings.json", told(subject)),
        File(f"{subject.scripts}/certificate", entry_text(subject, ""), mode="0755", reader=PYTHON),
        File(f"{subject.scripts}/certificate-status", entry_text(subject, "status"), mode="0755", reader=PYTHON),
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


def _units() -> tuple[Item, ...]:
    return (Unit(TIMER), Unit(SERVICE, enabled="disabled", active=None))


def _hook(subject: Subject) -> tuple[Item, ...]:
    """For who runs `certbot renew` by hand."""
    script = f"#!/bin/sh\nexec {subject.scripts}/certificate install\n"
    return (
        Directory(CERTBOT),
        Directory(f"{CERTBOT}/renewal-hooks"),
        Directory(f"{CERTBOT}/renewal-hooks/deploy"),
        File(f"{CERTBOT}/renewal-hooks/deploy/neurmatic-nginx", script, mode="0755"),
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
        "drain": subject.drain,
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
    lines = [
        "[Unit]",
        "Description=The origin's certificate: issued, renewed, and what nginx serves",
        "After=docker.service network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={subject.scripts}/certificate keep",
        "TimeoutStartSec=30min",
        "PrivateTmp=yes",
        "ProtectHome=yes",
        "ProtectSystem=full",
        f"ReadWritePaths=-{CERTBOT}",
        "NoNewPrivileges=yes",
        "",
    ]
    return "\n".join(lines)


def timer_text() -> str:
    """Often, because a look costs nothing; when the authority is asked is the script's to decide."""
    lines = [
        "[Unit]",
        "Description=Looks after the origin's certificate",
        "",
        "[Timer]",
        "OnCalendar=*:00/15",
        "RandomizedDelaySec=10min",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    return "\n".join(lines)
