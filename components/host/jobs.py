"""Scripts and timers as items: what every component that runs something on the server has in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.host.items import File, Reader

# Reads a script as Python does, without leaving a compiled one behind.
PYTHON = Reader(("python3", "-I", "-c", "import ast,sys;ast.parse(open(sys.argv[1]).read())", "{candidate}"))
SHELL = Reader(("sh", "-n", "{candidate}"))
VERIFY = Reader(("systemd-analyze", "verify", "--man=no", "{candidate}"))
RELOAD = (("systemctl", "daemon-reload"),)
# For a service that writes below /var and what it names, and nowhere else.
CONFINED = ("PrivateTmp=yes", "ProtectHome=yes", "ProtectSystem=full", "NoNewPrivileges=yes")


def script(path: str, text: str, reader: Reader = PYTHON) -> File:
    return File(path, text, mode="0755", reader=reader)


def settings_file(path: str, document: Mapping[str, Any]) -> File:
    return File(path, f"{json.dumps(document, indent=2, sort_keys=True)}\n")


def unit_file(name: str, text: str) -> File:
    return File(f"/etc/systemd/system/{name}", text, reader=VERIFY, on_change=RELOAD)


def service(about: Sequence[str], *does: str) -> str:
    """One that does something and ends; `about` is what stands in [Unit]."""
    return _text(("[Unit]", *about), ("[Service]", "Type=oneshot", *does))


def timer(description: str, *when: str) -> str:
    return _text(("[Unit]", f"Description={description}"), ("[Timer]", *when), ("[Install]", "WantedBy=timers.target"))


def _text(*sections: Sequence[str]) -> str:
    return "\n\n".join("\n".join(section) for section in sections) + "\n"
