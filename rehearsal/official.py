"""The official plugins in a rehearsal: `PLUGINS=official`, on a machine with the internet.

The engine installs them, each in the version of its SDK. What keeps them from real clouds is their environment: the
endpoints of the emulated ones, and no credential of anybody. No server is reached either: a rehearsal without a
machine gives the server an address that no name server knows.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal import RehearsalError

if TYPE_CHECKING:
    from rehearsal.clouds.servers import Clouds

NAMES = ("aws", "cloudflare", "command", "docker", "random", "tls")
# `./infra` looks for it, so that a shell of a rehearsal is never taken for a real one.
MARKER = "rehearsal.json"


def wanted(caller: Mapping[str, str] = os.environ) -> bool:
    """Whether PLUGINS asks for them."""
    asked = caller.get("PLUGINS", "") or "stand-in"
    if asked not in ("official", "stand-in"):
        raise RehearsalError(f"PLUGINS is {asked!r}: it may be 'official' or 'stand-in' (the default).")
    return asked == "official"


def install(home: Path, backend: str, environment: Mapping[str, str]) -> None:
    """What is missing is downloaded by the engine itself, which checks what it gets."""
    import importlib.metadata  # noqa: PLC0415  only these plugins need it

    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps({"backends": [backend], "plugins": "official"}) + "\n")
    for name in NAMES:
        version = importlib.metadata.version(f"pulumi-{name}")
        if (home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}").exists():
            continue
        words = ["pulumi", "plugin", "install", "resource", name, version]
        done = subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise RehearsalError(
                f"The official plugin {name} {version} could not be installed ({' '.join(reason)}):"
                " PLUGINS=official needs the internet; without the setting the stand-ins play."
            )


def endpoints(clouds: Clouds) -> dict[str, str]:
    """What turns the official plugins to the emulated clouds. The S3 client uses paths, because this is an address."""
    return {**clouds.environment(), "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
