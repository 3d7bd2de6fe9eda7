"""A rehearsal machine as the product's server: its settings, and the converge over SSH that `up` does as well."""

from __future__ import annotations

import json
from typing import Any

from components.host import remote, report
from components.host.config import PACKAGES, HostSettings
from components.host.report import Report
from components.host.system import NEEDED
from rehearsal import RehearsalError
from rehearsal.machine import Machine

# Of an image from which a converge need not install anything.
ALL_PACKAGES = tuple(dict.fromkeys((*PACKAGES, *NEEDED)))
SECONDS = 900


def settings_for(machine: Machine, **given: Any) -> HostSettings:
    """Reached as a server is: at its own address, on port 22."""
    ssh = {
        "user": machine.user,
        "host_key": machine.host_key,
        "private_key_path": str(machine.key_path),
        **given.pop("ssh", {}),
    }
    deploy = {"keys": [machine.key_path.with_suffix(".pub").read_text().strip()]}
    data: dict[str, Any] = {
        "address": machine.address,
        "ipv4": "192.0.2.10",
        "ssh": ssh,
        "deploy": deploy,
        "swap": "0MB",
    }
    # Packages that are there from the start have their services running.
    data |= {"adopt": True, **given}
    return HostSettings.model_validate_json(json.dumps(data))


def converge(machine: Machine, settings: HostSettings) -> Report:
    """With the second login, where the first one changed how the server is reached."""
    found = ask(machine, *remote.apply_command(settings))
    if found.confirm:
        command, token = remote.confirm_command(found.confirm)
        machine.ssh(command, stdin=token)
    return found


def check(machine: Machine, settings: HostSettings) -> Report:
    return ask(machine, *remote.check_command(settings))


def ask(machine: Machine, command: str, stdin: str) -> Report:
    done = machine.ssh(command, stdin=stdin, timeout=SECONDS, check=False)
    try:
        return report.parse(done.stdout)
    except report.ReportError as error:
        raise RehearsalError(f"machine '{machine.name}': {error} {done.stderr[-1000:]}") from None
