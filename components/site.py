"""What the edge and the origin must agree on: names, who may reach the admin paths, limits, headers and caching.

One section, handed to both, so that they cannot disagree.
"""

from typing import Annotated

from components.leaves import whole
from components.section import Section
from components.values import Cidr, Fqdn, HeaderValue, HttpMethod, HttpsUrl, Origin, Rate, Seconds, UrlPath

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'self'; frame-ancestors 'self'; object-src 'none'; form-action 'self'; "
    "img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; upgrade-insecure-requests"
)


class SecurityHeaders(Section):
    """Headers on every answer. `null` leaves one out."""

    strict_transport_security: HeaderValue | None = "max-age=31536000; includeSubDomains; preload"
    """HSTS: browsers use https only, for this long. `preload` cannot be taken back quickly."""
    frame_options: HeaderValue | None = "SAMEORIGIN"
    """X-Frame-Options: who may show the site in a frame."""
    content_type_options: HeaderValue | None = "nosniff"
    """X-Content-Type-Options."""
    xss_protection: HeaderValue | None = "1; mode=block"
    """X-XSS-Protection, for old browsers."""
    referrer_policy: HeaderValue | None = "strict-origin-when-cross-origin"
    """Referrer-Policy."""
    permissions_policy: HeaderValue | None = "geolocation=(), microphone=(), camera=()"
    """Permissions-Policy: browser features that no page may use."""
    content_security_policy: HeaderValue | None = CONTENT_SECURITY_POLICY
    """Content-Security-Policy; the origins that `connect` names are added to connect-src."""
    connect: tuple[HttpsUrl, ...] = ()
    """Further addresses that pages may talk to; the API's https and wss addresses are always among them."""


class Cors(Section):
    """Which pages of other origins may read answers of the API."""

    origins: tuple[Origin, ...] = ()
    """Allowed origins, exactly. Empty: https:// and the apex."""
    methods: tuple[HttpMethod, ...] = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
    """Allowed methods."""
    credentials: bool = True
    """Whether cookies and Authorization may be sent along."""
    max_age: Seconds = 86400
    """How long a browser may remember the permission."""


class Caching(Section):
    """How long answers may be kept, at the edge and at the origin. Never one to a request with credentials."""

    api: Seconds = 300
    """GET answers of the API."""
    assets: Seconds = 86400
    """Static files of the frontend."""


class AdminAccess(Section):
    """Paths that answer only to known addresses, at the edge and at the origin."""

    addresses: tuple[Cidr, ...] = ()
    """Who may reach the admin paths. Empty: nobody."""
    paths: tuple[UrlPath, ...] = ("/api/v1/metrics", "/api/v1/monitoring", "/admin")
    """The admin paths and everything below them."""


class SiteSettings(Section):
    """The site's names and what holds for every request to them."""

    apex: Fqdn
    """The name that people type, such as neurmatic.com."""
    www: Fqdn
    """The same site with www in front."""
    api: Fqdn
    """The name of the API."""
    admin: AdminAccess = AdminAccess()
    """Admin paths."""
    cors: Cors = Cors()
    """Cross-origin requests."""
    headers: SecurityHeaders = SecurityHeaders()
    """Security headers."""
    caching: Caching = Caching()
    """Cache durations."""
    acme_path: UrlPath = "/.well-known/acme-challenge/"
    """Where a certificate authority asks for proof (HTTP-01): exempt from redirects and rules."""

    @property
    def names(self) -> tuple[str, str, str]:
        return (self.apex, self.www, self.api)

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may call the API."""
        return self.cors.origins or (f"https://{self.apex}",)


class NeurmaticLimits(Section):
    """Requests per visitor address. The origin enforces them exactly, the edge as far as its plan can say them."""

    api: Rate = Rate(10, 1)
    """All of the API."""
    login: Rate = Rate(5, 60)
    """Attempts to log in."""
    registration: Rate = Rate(3, 60)
    """New accounts."""
    burst: Annotated[int, whole(0, 1000)] = 20
    """Requests above the rate that pass at once before the limit answers 429."""
    connections: Annotated[int, whole(1, 10000)] = 10
    """Connections at a time to the API."""
    login_paths: tuple[UrlPath, ...] = ("/api/v1/auth/login",)
    """Where people log in."""
    registration_paths: tuple[UrlPath, ...] = ("/api/v1/auth/register",)
    """Where accounts are made."""


class NeurmaticSite(SiteSettings):
    """Neurmatic: the API and the frontend share one server."""

    limits: NeurmaticLimits = NeurmaticLimits()
    """Rate limits."""
    websocket_path: UrlPath = "/socket.io/"
    """Where WebSockets are opened."""
    websocket_timeout: Seconds = 7 * 86400
    """How long a WebSocket may stay idle."""


class NeuropilotLimits(Section):
    """Requests per visitor address. The application enforces the same figures exactly."""

    general: Rate = Rate(300, 600)
    """All of the API."""
    auth: Rate = Rate(10, 900)
    """Authentication."""
    auth_paths: tuple[UrlPath, ...] = ("/api/auth/", "/auth/")
    """Where people authenticate."""


class NeuropilotSite(SiteSettings):
    """NeuroPilot: the API and the frontend live on platforms; the apex redirects to www."""

    limits: NeuropilotLimits = NeuropilotLimits()
    """Rate limits."""
    admin: AdminAccess = AdminAccess(paths=())
    """Admin paths."""

    @property
    def origins(self) -> tuple[str, ...]:
        return self.cors.origins or (f"https://{self.www}",)
