"""What an nginx configuration is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.containers.config import NginxSettings
from components.site import NeurmaticSite


@dataclass(frozen=True)
class Origin:
    """The server behind Cloudflare: everything that its nginx has to know, apart from who serves at the moment."""

    site: NeurmaticSite
    settings: NginxSettings
    proxies: Sequence[str]
    """Addresses whose word about the visitor's address is believed: Cloudflare's, and those of the settings."""
    client_ca: str | None
    """File with the CA of Cloudflare's client certificate. None: whoever reaches port 443 is served."""
    drain: int
    """Seconds that old workers get for requests under way; WebSockets are cut after that, too."""
    certificates: str = "/etc/stack/tls"
    """Folder, as nginx sees it, of fullchain.pem and privkey.pem."""
    webroot: str = "/etc/stack/acme"
    """Folder, as nginx sees it, where certbot answers the certificate authority (HTTP-01)."""

    @property
    def workers(self) -> int:
        """`auto` would count the host's cores, not those that the container may use."""
        return max(1, math.ceil(self.settings.cpus))

    def at_least(self, *version: int) -> bool:
        """Whether the image's nginx knows what came with this version."""
        return tuple(int(part) for part in self.settings.at_least.split("-")[0].split(".")) >= version


@dataclass(frozen=True)
class Serving:
    """Who answers: host names of containers. A spare is asked only when no server is left."""

    backends: Sequence[str]
    frontends: Sequence[str]
    spare_backends: Sequence[str] = ()
    spare_frontends: Sequence[str] = ()
