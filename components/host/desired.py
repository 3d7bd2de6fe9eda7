"""All that a server shall be, from its settings: the table of contents of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from components.host import access, engine, kernel, system
from components.host.config import HostSettings
from components.host.firewall import firewall_items
from components.host.items import Desired, Item


def desired_state(settings: HostSettings, more: Sequence[Item] = ()) -> Desired:
    """`more`: what other components want on the server (timers, scripts); it drifts and is taken back like the rest."""
    return Desired(
        items=(*all_items(settings), *more),
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
