"""Where a table comes from, and when it was read: each table carries one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

ATTRIBUTION = "Cloudflare documentation, CC BY 4.0, Cloudflare, Inc."


@dataclass(frozen=True)
class Source:
    page: str
    read: date

    @property
    def url(self) -> str:
        return f"https://developers.cloudflare.com/{self.page}"
