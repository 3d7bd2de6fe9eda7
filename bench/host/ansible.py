"""Ansible beside the converge script: ansible-core in a virtualenv of its own, the playbook fed from the same items."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.host.config import HostSettings
from components.host.desired import all_items
from components.host.items import Directory, File, Limits, Mode, Package, Unit
from rehearsal import TOOLCHAIN
from rehearsal.machine import Machine

VERSION = "2.18.6"  # the last that runs with Python 3.11 and manages a server with Python 3.11
HOME = TOOLCHAIN / f"ansible-{VERSION}"
PLAYBOOK = Path(__file__).with_name("playbook.yaml")
# By the first argument that tells them apart.
HANDLERS = {
    "daemon-reload": "daemon-reload",
    "daemon-reexec": "daemon-reload",
    "systemd-journald.service": "journald",
    "docker.service": "docker",
    "fail2ban.service": "fail2ban",
    "ssh.service": "ssh",
    "/etc/infra/containers.nft": "containers",
    "reload": "ufw",
}
RECAP = re.compile(r"changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


def install() -> None:
    if (HOME / "bin" / "ansible-playbook").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
    pip = [str(HOME / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"ansible-core=={VERSION}"], check=True)


def run(machine: Machine, settings: HostSettings, *options: str) -> tuple[float, int]:
    """Seconds, and how many tasks changed something."""
    folder = TOOLCHAIN / "ansible-run"
    folder.mkdir(parents=True, exist_ok=True)
    known = variables(settings)
    for file in known["files"]:
        source = folder / "files" / file["path"].lstrip("/")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(file.pop("content"))
        file["source"] = str(source)
    (folder / "variables.json").write_text(json.dumps(known))
    target = f"{machine.address} ansible_user={machine.user} ansible_ssh_private_key_file={machine.key_path}"
    ssh = f"-o UserKnownHostsFile={folder / 'known_hosts'} -o ControlMaster=auto -o ControlPersist=120s"
    (folder / "known_hosts").write_text(f"{machine.address} {machine.host_key}\n")
    (folder / "inventory").write_text(f"{target} ansible_python_interpreter=/usr/bin/python3\n")
    command = [str(HOME / "bin" / "ansible-playbook"), "-i", str(folder / "inventory"), *options]
    command += ["--extra-vars", f"@{folder / 'variables.json'}", str(PLAYBOOK)]
    environment = {
        **os.environ,
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_ARGS": ssh,
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    seconds = time.monotonic() - started
    recap = RECAP.search(done.stdout)
    if done.returncode or recap is None:
        raise SystemExit(f"the playbook failed:\n{done.stdout[-3000:]}\n{done.stderr[-1000:]}")
    return seconds, int(recap[1])


def variables(settings: HostSettings) -> dict[str, Any]:
    items = all_items(settings)
    files = [_file(item) for item in items if isinstance(item, File) and item.content is not None]
    files += [_limits(item) for item in items if isinstance(item, Limits)]
    files.sort(key=lambda file: file["path"].startswith("/etc/ufw"))
    wanted = [item for item in items if isinstance(item, Unit) and item.enabled == "enabled"]
    return {
        "packages": [item.name for item in items if isinstance(item, Package)],
        "recommends": False,
        "masked": [item.name for item in items if isinstance(item, Unit) and item.enabled == "masked"],
        "deploy": settings.deploy.name,
        "keys": "".join(f"{key}\n" for key in settings.deploy.keys),
        "directories": [asdict(item) for item in items if isinstance(item, Directory)],
        "parents": sorted({str(Path(file["path"]).parent) for file in files} - {"/etc", "/usr/local/sbin"}),
        "files": files,
        # A container has no boot menu.
        "modes": [asdict(item) for item in items if isinstance(item, Mode) and not item.path.startswith("/boot")],
        "units": [{"name": item.name, "state": "started"} for item in wanted if _runs_in_a_container(item)],
    }


def _runs_in_a_container(item: Unit) -> bool:
    return bool(item.active) and item.name != "systemd-timesyncd.service"


def _file(item: File) -> dict[str, Any]:
    words = [word for action in item.on_change for word in action]
    notify = [name for word, name in HANDLERS.items() if word in words]
    notify += ["sysctl"] if item.path.startswith("/etc/sysctl.d") else []
    kept = {name: getattr(item, name) for name in ("path", "content", "owner", "group", "mode")}
    return {**kept, "notify": notify}


def _limits(item: Limits) -> dict[str, Any]:
    rows = [
        f"{domain} {kind} {name} {min(value, 20000) if name == 'nofile' else value}\n"
        for domain in item.domains
        for name, value in item.values.items()
        for kind in ("soft", "hard")
    ]
    return {"path": item.path, "content": "".join(rows), "owner": "root", "group": "root", "mode": "0644", "notify": []}
