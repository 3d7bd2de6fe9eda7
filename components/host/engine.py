"""The Docker engine, and the slices that bound what a container may start."""

from __future__ import annotations

import json

from components.host.config import HostSettings
from components.host.items import Directory, File, Item, Reader, Unit
from components.host.text import MANAGED

DAEMON = "/etc/docker/daemon.json"
# Private ranges that providers and offices rarely use, small enough for many networks.
ADDRESS_POOLS = ({"base": "172.28.0.0/14", "size": 24},)
# The plugin cannot set a limit of processes (no pids limit), so that each service has a slice with one.
TASKS = {"postgres": 1024, "redis": 256, "backend": 1024, "frontend": 256, "nginx": 256, "backup": 512}
# --validate came with 23.0; an older engine refuses at the restart, and the old file comes back.
VALIDATE = 'dockerd --help 2>&1 | grep -q -- --validate || exit 0; exec dockerd --validate --config-file "$1"'


def daemon(settings: HostSettings) -> list[Item]:
    return [
        Directory("/etc/docker"),
        File(
            DAEMON,
            daemon_text(settings),
            reader=Reader(argv=("sh", "-c", VALIDATE, "dockerd", "{candidate}")),
            on_change=(("systemctl", "restart", "docker.service"),),
        ),
        Unit("docker.service"),
    ]


def daemon_text(settings: HostSettings) -> str:
    given = settings.docker
    wanted = {
        "default-address-pools": list(ADDRESS_POOLS),
        # Slices with limits are systemd's, and cgroup_parent can only name one when systemd drives.
        "exec-opts": ["native.cgroupdriver=systemd"],
        # Before 27 the rules that lead an IPv6 visitor to a container, his address unchanged, count as experimental.
        "experimental": settings.ipv6 is not None,
        # Containers of the default bridge do not see each other; the product's own network is not that one.
        "icc": False,
        "ip6tables": settings.ipv6 is not None,
        "live-restore": given.live_restore,
        "log-driver": "json-file",
        "log-opts": {"max-size": f"{given.log_max_size}m", "max-file": str(given.log_max_files)},
        "no-new-privileges": given.no_new_privileges,
        "userland-proxy": False,
    }
    return json.dumps(wanted, indent=2, sort_keys=True) + "\n"


def slice_of(service: str) -> str:
    """For a container's cgroup_parent."""
    return f"neurmatic-{service}.slice"


def slices() -> list[Item]:
    parent = ("neurmatic.slice", "All containers of the product", sum(TASKS.values()) * 4)
    each = [(slice_of(name), f"Containers of {name}", tasks * 4) for name, tasks in TASKS.items()]
    return [_slice(*one) for one in (parent, *each)]


def _slice(name: str, description: str, tasks: int) -> Item:
    text = f"{MANAGED}[Unit]\nDescription={description}\n\n[Slice]\nTasksMax={tasks}\n"
    return File(
        f"/etc/systemd/system/{name}",
        text,
        reader=Reader(argv=("systemd-analyze", "verify", "--man=no", "{candidate}")),
        on_change=(("systemctl", "daemon-reload"),),
    )
