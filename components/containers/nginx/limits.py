"""Limits for each visitor's address: exact here, where the edge can only come close."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from components.containers.nginx.text import Lines, statements
from components.mistakes import Mistake
from components.site import NeurmaticSite
from components.values import Rate

MEMORY = "16m"
"""Room for a quarter of a million addresses."""


def zones(site: NeurmaticSite) -> Lines:
    limits = site.limits
    requests = [
        f"limit_req_zone $binary_remote_addr zone={name}:{MEMORY} rate={written(rate)}"
        for name, rate in (("api", limits.api), ("login", limits.login), ("registration", limits.registration))
    ]
    return statements(
        *requests,
        f"limit_conn_zone $binary_remote_addr zone=api_connections:{MEMORY}",
        f"limit_conn_zone $binary_remote_addr zone=socket_connections:{MEMORY}",
        "limit_req_status 429",
        "limit_conn_status 429",
        "limit_req_log_level warn",
    )


def api_limits(site: NeurmaticSite) -> Lines:
    return statements(
        f"limit_req zone=api burst={site.limits.burst} nodelay",
        f"limit_conn api_connections {site.limits.connections}",
    )


def attempt_limits(site: NeurmaticSite, zone: str, rate: Rate) -> Lines:
    """Attempts may come as fast as a person types them, but no more of them than the rate says."""
    return [*api_limits(site), *statements(f"limit_req zone={zone} burst={max(0, rate.requests - 1)} nodelay")]


def socket_limits(site: NeurmaticSite) -> Lines:
    """Apart from the API's connections: sockets stay open for days."""
    return statements(
        f"limit_req zone=api burst={site.limits.burst} nodelay",
        f"limit_conn socket_connections {site.limits.connections}",
    )


def written(rate: Rate) -> str:
    """nginx counts whole requests a second or a minute."""
    if rate.requests % rate.seconds == 0:
        return f"{rate.requests // rate.seconds}r/s"
    return f"{ceil(rate.requests * 60 / rate.seconds)}r/m"


def rates_are_whole(site: NeurmaticSite) -> Iterable[Mistake]:
    """nginx would be made to round what no whole number of requests a minute can say."""
    limits = site.limits
    for name, rate in (("api", limits.api), ("login", limits.login), ("registration", limits.registration)):
        if rate.requests * 60 % rate.seconds:
            near = ceil(rate.requests * 60 / rate.seconds)
            yield Mistake(
                ("site", "limits", name), f"given {rate}; nginx counts whole requests a minute, such as {near}/min"
            )
