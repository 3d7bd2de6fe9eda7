"""What somebody changed at Cloudflare by hand: one more part of `./infra drift`, for whoever has a token."""

from __future__ import annotations

import os
from collections.abc import Iterator

from components.edge.config import EdgeSettings
from components.edge.rules.zone import rulesets
from components.settings import StackSettings
from components.values import ZoneRole
from ops.edge.live import API, Live, LiveError, Wanted, client, contested_records, disagreements, is_that, read
from ops.errors import OperatorError

TOKEN, BASE = "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"


def edge_drift(settings: StackSettings) -> list[str] | None:
    """None where nobody may look."""
    edge, token = getattr(settings, "edge", None), os.environ.get(TOKEN)
    if not isinstance(edge, EdgeSettings) or not token:
        return None
    host = getattr(settings, "host", None)
    addresses = (getattr(host, "ipv4", None), getattr(host, "ipv6", None))
    wanted = Wanted(edge, settings.site, *addresses)  # type: ignore[attr-defined]
    try:
        return list(differences(wanted, read(client(token, os.environ.get(BASE, API)), edge.zone_id)))
    except LiveError as error:
        raise OperatorError(str(error)) from None


def differences(wanted: Wanted, live: Live) -> Iterator[str]:
    """Records and rulesets; what is in a ruleset is the engine's to read (`./infra preview --refresh`)."""
    yield from disagreements(wanted, live)
    for entry in wanted.records:
        if not any(is_that(entry, record) for record in live.records):
            yield f"{entry.type} {entry.name}: is gone, or has other content"
    for record in contested_records(wanted, live):
        yield f"{record['type']} {record['name']} {record.get('content')}: stands beside ours"
    if wanted.settings.role is ZoneRole.OWNER:
        for phase in rulesets(wanted.settings, wanted.site):
            if phase not in live.rulesets:
                yield f"ruleset of the phase {phase}: is gone"


def as_text(settings: StackSettings, found: list[str] | None) -> str:
    """Nothing for a system without a zone."""
    zone = getattr(getattr(settings, "edge", None), "zone", "")
    if not zone:
        return ""
    if found is None:
        return f"The zone was not looked at: {TOKEN} is not set (a token that may read the zone and its DNS)."
    if not found:
        return f"{zone}: no drift in records and rulesets."
    head = f"{zone} differs at Cloudflare, and `./infra up --refresh` puts it right:"
    return "\n".join([head, *(f"  {each}" for each in found)])
