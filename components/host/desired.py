"""All that a server shall be, from its settings: the table of contents of this folder."""

from __future__ import annotations

from components.host import access, engine, kernel, system
from components.host.config import HostSettings
from components.host.firewall import firewall_items
from components.host.items import Desired, Item


def desired_state(settings: HostSettings) -> Desired:
    return Desired(
        items=tuple(all_items(settings)),
        adopt=settings.adopt,
        data=settings.data,
        prefix="neurmatic-",
        ssh_port=settings.ssh.port,
    )


def all_items(settings: HostSettings) -> list[Item]:
    """Guarded ones last: what can lock the owner out changes when everything else is in place."""
    return [
        *system.packages(settings),
        *system.units(settings),
        *access.accounts(settings),
        *system.folders(settings),
        *system.upkeep(settings),
        *kernel.values(settings),
        *kernel.limits(settings),
        *engine.daemon(settings),
        *engine.slices(),
        *access.fail2ban(settings),
        *access.sudo(),
        *access.sshd(settings),
        *firewall_items(settings),
        *access.who_may_be_there(settings),
    ]
