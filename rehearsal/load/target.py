"""Where a load client asks."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """An address that answers for `host`, with a certificate that is signed by one in `trusted` (PEM)."""

    address: str
    port: int
    host: str
    trusted: str

    def context(self, protocols: Sequence[str] = ("http/1.1",)) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.trusted)
        # What a server shows may be trusted itself, without the root that has signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.set_alpn_protocols(list(protocols))
        return context
