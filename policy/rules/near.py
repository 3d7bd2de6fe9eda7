"""Which addresses are this machine's own, or its neighbours'."""

from __future__ import annotations

import ipaddress


def is_near(host: str) -> bool:
    """This machine, its containers (names without a dot) and private networks."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name or name.endswith((".internal", ".local", ".localhost", ".svc"))
