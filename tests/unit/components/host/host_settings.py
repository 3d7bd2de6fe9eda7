"""Settings of a host for tests of its builders."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from components.host.config import HostSettings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


def settings(**given: Any) -> HostSettings:
    ssh = {"host_key": KEY, **given.pop("ssh", {})}
    deploy = {"keys": [KEY], **given.pop("deploy", {})}
    data = {"address": "vps.example", "ipv4": "192.0.2.10", "ssh": ssh, "deploy": deploy, **given}
    return TypeAdapter(HostSettings).validate_python(data)
