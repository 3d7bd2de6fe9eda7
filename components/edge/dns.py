"""The DNS records of a zone's owner or of a tenant, as Cloudflare's API answers them: full names, no trailing dots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from components.edge.config import EdgeSettings, PlatformEdge, Record, RecordType
from components.site import SiteSettings
from components.values import ZoneRole

AUTOMATIC = 1
"""The TTL that Cloudflare answers for every proxied record, whatever was written."""
NOWHERE = "100::"
"""The discard prefix (RFC 6666): for a name that the edge itself answers, so that nobody needs an origin."""
LONGEST_STRING = 255


@dataclass(frozen=True)
class Entry:
    """One record. `role` names it for good: two records never share one, and a changed content keeps it."""

    role: str
    name: str
    type: str
    content: str | None = None
    data: dict[str, Any] | None = None
    ttl: int = AUTOMATIC
    proxied: bool = False
    priority: int | None = None

    def properties(self) -> dict[str, Any]:
        fields = ("name", "type", "content", "data", "ttl", "proxied", "priority")
        return {field: value for field in fields if (value := getattr(self, field)) is not None}


def records(settings: EdgeSettings, site: SiteSettings, ipv4: str | None, ipv6: str | None) -> list[Entry]:
    """A tenant has its own names and its own further records; what speaks for the whole zone is the owner's."""
    own = [*_site_names(settings, site, ipv4, ipv6), *(_further(settings, record) for record in settings.records)]
    if settings.role is ZoneRole.TENANT:
        return own
    return [*own, *_authorities(settings), *_mail(settings)]


def _site_names(settings: EdgeSettings, site: SiteSettings, ipv4: str | None, ipv6: str | None) -> list[Entry]:
    if isinstance(settings, PlatformEdge):
        return [
            _proxied("AAAA", site.apex, NOWHERE),
            _proxied("CNAME", site.www, settings.www_target),
            _proxied("CNAME", site.api, settings.api_target),
        ]
    addresses = [("A", ipv4), ("AAAA", ipv6)]
    return [_proxied(kind, name, address) for name in site.names for kind, address in addresses if address is not None]


def _proxied(kind: str, name: str, content: str) -> Entry:
    return Entry(f"{kind.lower()}-{name}", name, kind, content, proxied=True)


def _further(settings: EdgeSettings, record: Record) -> Entry:
    name = settings.zone if record.name == "@" else f"{record.name}.{settings.zone}"
    mark = hashlib.sha256(record.content.encode()).hexdigest()[:8]
    role = f"{record.type.value.lower()}-{name}-{mark}"
    if record.type is RecordType.CAA:
        flags, tag, value = record.content.split(" ", 2)
        data = {"flags": int(flags), "tag": tag, "value": value.strip('"')}
        return Entry(role, name, "CAA", data=data, ttl=record.ttl)
    content = _quoted(record.content) if record.type is RecordType.TXT else record.content.rstrip(".")
    return Entry(role, name, record.type.value, content, ttl=record.ttl, priority=record.priority)


def _authorities(settings: EdgeSettings) -> list[Entry]:
    """Who may issue certificates: the origin's issuer and those that Cloudflare uses for the edge."""
    return [
        Entry(
            f"caa-{issuer}",
            settings.zone,
            "CAA",
            data={"flags": 0, "tag": "issue", "value": issuer},
            ttl=settings.ttl,
        )
        for issuer in settings.certificate_authorities
    ]


def _mail(settings: EdgeSettings) -> list[Entry]:
    """SPF and DMARC always: a zone that sends no mail has to say so, or others send in its name."""
    mail, zone, ttl = settings.mail, settings.zone, settings.ttl
    sends = mail.sendgrid_subdomain is not None and mail.sendgrid_account is not None
    spf = mail.spf or ("v=spf1 include:sendgrid.net -all" if sends else "v=spf1 -all")
    entries = [
        Entry("spf", zone, "TXT", _quoted(spf), ttl=ttl),
        Entry("dmarc", f"_dmarc.{zone}", "TXT", _quoted(mail.dmarc), ttl=ttl),
    ]
    if not sends:
        return entries
    account = f"{mail.sendgrid_account}.sendgrid.net"
    # SendGrid follows its own CNAMEs and rotates the DKIM keys behind them: proxied they would not resolve.
    aliases = {
        "sendgrid-return": (f"{mail.sendgrid_subdomain}.{zone}", account),
        "sendgrid-dkim-1": (f"s1._domainkey.{zone}", f"s1.domainkey.{account}"),
        "sendgrid-dkim-2": (f"s2._domainkey.{zone}", f"s2.domainkey.{account}"),
    }
    return entries + [Entry(role, name, "CNAME", to, ttl=ttl) for role, (name, to) in aliases.items()]


def _quoted(text: str) -> str:
    """TXT content is a sequence of quoted strings of at most 255 bytes; unquoted, Cloudflare warns about it."""
    if text.startswith('"'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    parts = [escaped[start : start + LONGEST_STRING] for start in range(0, len(escaped), LONGEST_STRING)]
    return " ".join(f'"{part}"' for part in parts)
