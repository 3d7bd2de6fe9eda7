"""What is said to the server by `./infra adopt`: the script as one file, and what the stack wants. Pure."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from components.containers.application import NGINX_USER
from components.containers.config import ContainersSettings
from components.containers.place import Place
from components.host.remote import PYTHON

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "components/containers/onhost/takeover"
EMPTY = ("components", "components/containers", "components/containers/onhost")
LOADER = (
    "import base64,os,sys;"
    "pack=base64.b64decode(sys.stdin.readline());"
    'fd=os.memfd_create("takeover");'
    "os.write(fd,pack);"
    'sys.path.insert(0,f"/proc/self/fd/{fd}");'
    "from components.containers.onhost.takeover.main import run;"
    "run()"
)
START = "sudo -n python3 -I -c 'import sys;exec(sys.stdin.readline())'"
PREFIX = "neurmatic-"


def told(action: str, wanted: dict[str, Any]) -> tuple[str, str]:
    """The command and its standard input."""
    pack = base64.b64encode(bundle()).decode()
    return f"{PYTHON} && {START} {action}", f"{LOADER}\n{pack}\n{json.dumps(wanted, sort_keys=True)}\n"


def wanted(settings: ContainersSettings, place: Place, api: str) -> dict[str, Any]:
    return {
        "api": api,
        "tls": f"{place.nginx}/tls",
        "nginx": int(NGINX_USER.partition(":")[0]),
        "prefix": PREFIX,
        "data": place.data,
        "backups": f"{place.root}/backups",
        "record": f"{place.infrastructure}/containers.json",
        "network": settings.network,
        "database": settings.postgres.database,
        "owner": settings.postgres.user,
        "repositories": {
            "backend": settings.backend.image.repository,
            "frontend": settings.frontend.image.repository,
        },
    }


@lru_cache(maxsize=1)
def bundle() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for folder in EMPTY:
            pack.writestr(f"{folder}/__init__.py", "")
        for path in sorted((ROOT / PACKAGE).glob("*.py")):
            pack.writestr(f"{PACKAGE}/{path.name}", path.read_text())
    return archive.getvalue()
