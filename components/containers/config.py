"""The `containers` section: what runs on the server, and how it changes without an outage."""

from enum import Enum
from typing import Annotated

from components.containers.postgres import PostgresSettings
from components.leaves import Text, whole
from components.section import Section
from components.values import (
    MEGABYTES,
    SECONDS,
    Cidr,
    Cpus,
    Email,
    Fqdn,
    HttpsUrl,
    ImageDigest,
    ImageRef,
    Issuer,
    LogLevel,
    Megabytes,
    OauthProvider,
    RegistryUser,
    Seconds,
    SemanticVersion,
    Share,
    Slug,
    UrlPath,
)


class Release(Section):
    """What runs: a version and the digests of its images. Unset before the first release."""

    version: SemanticVersion
    """The application's version."""
    backend: ImageDigest
    """Digest of the backend's image."""
    frontend: ImageDigest
    """Digest of the frontend's image."""
    postgres: ImageDigest | None = None
    """Digest of the PostgreSQL image. Unset: the tag, as the host has it."""
    redis: ImageDigest | None = None
    """Digest of the Redis image. Unset: the tag, as the host has it."""
    nginx: ImageDigest | None = None
    """Digest of the nginx image. Unset: the tag, as the host has it."""


class Registry(Section):
    """Where the application's images come from. The token is the secret registry_token."""

    host: Fqdn = "ghcr.io"
    """The registry."""
    user: RegistryUser = "alexbaum-ai"
    """Who logs in."""


class EvictionPolicy(str, Enum):
    """What Redis does when its memory is full. Job queues alone would want `noeviction`."""

    ALLKEYS_LRU = "allkeys-lru"
    VOLATILE_LRU = "volatile-lru"
    NOEVICTION = "noeviction"


Argument = Annotated[str, Text("one word of a command", pattern=r"[!-~ ]+", longest=500)]
Snapshot = Annotated[
    str, Text("seconds and changes, such as 900 1", pattern=r"[1-9][0-9]{0,5} [1-9][0-9]{0,8}", longest=20)
]


class RedisSettings(Section):
    """Redis: sessions, cache and job queues."""

    image: ImageRef = ImageRef("redis", "7-alpine")
    """The image."""
    cpus: Cpus = 1
    """CPU limit."""
    maxmemory: Annotated[int, MEGABYTES.between("16MB", "512GB")] = 2048
    """Data in memory at most; beyond it the policy decides."""
    memory: Megabytes | None = None
    """Memory limit. Unset: `maxmemory` and a quarter, for buffers and the copy that a save makes."""
    policy: EvictionPolicy = EvictionPolicy.ALLKEYS_LRU
    """What goes when memory is full."""
    append_only: bool = True
    """Write every change to a log as well, once a second."""
    snapshots: tuple[Snapshot, ...] = ("900 1", "300 10", "60 10000")
    """When everything is written to disk: after so many seconds, if so many keys changed."""

    @property
    def memory_limit(self) -> int:
        return self.memory if self.memory is not None else self.maxmemory * 5 // 4


class Sentry(Section):
    """Error reports; the address is the secret sentry_dsn."""

    enabled: bool = True
    """Send errors to Sentry."""
    traces: Share = 0.1
    """Share of requests that are traced."""
    profiles: Share = 0.1
    """Share of traced requests that are profiled."""


class Mailer(Section):
    """Mail that the application sends; the key is the secret sendgrid_api_key."""

    sender: Email = "noreply@neurmatic.com"
    """FROM_EMAIL."""
    support: Email = "support@neurmatic.com"
    """SUPPORT_EMAIL."""


class BackendSettings(Section):
    """The API's containers."""

    image: ImageRef = ImageRef("ghcr.io/alexbaum-ai/neurm-backend")
    """The image; the release says which version of it."""
    command: tuple[Argument, ...] = ("docker-entrypoint.sh", "node", "dist/server.js")
    """What the container runs: the image's own entry point and command, which a wrapper hands the variables to."""
    migration: tuple[Argument, ...] = ("npx", "prisma", "migrate", "deploy")
    """What brings the database to the release, in a container of its own, before a new backend starts."""
    count: Annotated[int, whole(1, 8)] = 2
    """How many run; at least 2 in production. During a deploy twice as many do."""
    cpus: Cpus = 2
    """CPU limit of each."""
    memory: Megabytes = 2048
    """Memory limit of each."""
    pool_cap: Annotated[int, whole(1, 1000)] = 50
    """Database connections of each, at most."""
    pool: Annotated[int, whole(1, 1000)] | None = None
    """Database connections of each. Unset: as many as fit while a deploy doubles the backends, up to `pool_cap`."""
    pool_timeout: Annotated[int, SECONDS.between("1s", "10m")] = 30
    """How long a request waits for a database connection."""
    access_lifetime: Seconds = 900
    """JWT_EXPIRES_IN."""
    refresh_lifetime: Seconds = 30 * 86400
    """REFRESH_TOKEN_EXPIRES_IN."""
    accepts_previous: bool = False
    """The application takes what it signed before a rotation (JWT_SECRET_PREVIOUS). Otherwise everyone logs in anew."""
    bcrypt_rounds: Annotated[int, whole(10, 16)] = 12
    """BCRYPT_ROUNDS."""
    rate_window: Seconds = 900
    """RATE_LIMIT_WINDOW_MS: the application's own limit, behind the edge's and nginx's."""
    rate_requests: Annotated[int, whole(1, 1_000_000)] = 100
    """RATE_LIMIT_MAX_REQUESTS."""
    log_level: LogLevel = LogLevel.WARN
    """LOG_LEVEL."""
    oauth: tuple[OauthProvider, ...] = tuple(OauthProvider)
    """Providers that people may log in with; each needs its two secrets."""
    mail: Mailer = Mailer()
    """Mail."""
    sentry: Sentry = Sentry()
    """Sentry."""


class FrontendSettings(Section):
    """The frontend's container."""

    image: ImageRef = ImageRef("ghcr.io/alexbaum-ai/neurm-frontend")
    """The image; the release says which version of it."""
    cpus: Cpus = 0.5
    """CPU limit."""
    memory: Megabytes = 128
    """Memory limit."""


class NginxSettings(Section):
    """The load balancer. Settings change by reload; another image is an announced outage of up to 2 seconds."""

    image: ImageRef = ImageRef("nginx", "alpine")
    """The image."""
    at_least: SemanticVersion = "1.27.4"
    """The oldest nginx that the image may hold: it decides which directives are written."""
    cpus: Cpus = 1
    """CPU limit."""
    memory: Megabytes = 256
    """Memory limit."""
    worker_connections: Annotated[int, whole(256, 65535)] = 4096
    """Connections of each worker."""
    keepalive: Annotated[int, whole(1, 1024)] = 64
    """Idle connections to the backends that each worker keeps."""
    max_fails: Annotated[int, whole(1, 100)] = 3
    """Failures after which a backend is left out."""
    fail_timeout: Seconds = 30
    """How long it is left out, and the time in which failures count."""
    body_limit: Annotated[int, MEGABYTES.between("1MB", "1GB")] = 10
    """Largest request body; uploads go straight to S3."""
    gzip_level: Annotated[int, whole(0, 9)] = 6
    """gzip level; 0 for none."""
    session_cache: Annotated[int, MEGABYTES.between("1MB", "1GB")] = 50
    """TLS session cache."""
    session_timeout: Seconds = 86400
    """How long a TLS session can be resumed."""
    log_buffer: Annotated[int, whole(0, 1024)] = 32
    """Kilobytes of access log that are written at once; 0 for each line."""
    trusted_proxies: tuple[Cidr, ...] = ()
    """Peers besides Cloudflare whose header with the visitor's address is believed."""


class Certificates(Section):
    """The origin's certificate."""

    issuer: Issuer = Issuer.LETS_ENCRYPT_HTTP01
    """Who signs it and how the names are proven. DNS-01 needs no way in through port 80, Cloudflare's own no proof."""
    email: Email = "admin@neurmatic.com"
    """Mail of the account with the authority, when that is registered."""
    directory: HttpsUrl = "https://acme-v02.api.letsencrypt.org/directory"
    """The authority's ACME directory."""
    renew_before: Annotated[int, SECONDS.between("1d", "60d")] = 30 * 86400
    """How long before it ends a certificate is renewed."""

    @property
    def by_cloudflare(self) -> bool:
        return self.issuer is Issuer.CLOUDFLARE_ORIGIN


class Rolling(Section):
    """How a new set of containers takes over."""

    healthy_within: Annotated[int, SECONDS.between("10s", "30m")] = 180
    """A new container that is not healthy by then stops the deploy; the old set goes on serving."""
    health_interval: Annotated[int, SECONDS.between("1s", "5m")] = 30
    """Time between health checks."""
    soak: Annotated[int, SECONDS.between("0s", "1h")] = 60
    """The old set stays as a backup for so long after the switch."""
    drain: Annotated[int, SECONDS.between("1s", "10m")] = 30
    """Requests that are under way get so long to finish."""
    smoke: tuple[UrlPath, ...] = ("/api/v1/health", "/api/v1/metrics", "/api/v1/monitoring/status")
    """Asked of each new backend, five times before the switch and all through the soak: none may be a 5xx."""
    error_share: Share = 0.05
    """Share of 5xx among the answers to visitors during the soak, above which the old set takes over again."""


class Logs(Section):
    """Logs of the containers."""

    max_size: Annotated[int, MEGABYTES.between("1MB", "1GB")] = 10
    """A log is rotated at this size."""
    max_files: Annotated[int, whole(1, 100)] = 5
    """Rotated logs that are kept."""


class Allow(Section):
    """What an `up` may do although it is felt. Each is off: the preview says what would happen and stops."""

    restart_postgres: bool = False
    """Restart PostgreSQL: all requests fail for some seconds."""
    restart_redis: bool = False
    """Restart Redis."""
    replace_nginx: bool = False
    """Replace nginx, for another image: an outage of up to 2 seconds."""


class ContainersSettings(Section):
    """The containers."""

    release: Release | None = None
    """What runs. Without it everything but backend and frontend is set up."""
    registry: Registry = Registry()
    """The image registry."""
    postgres: PostgresSettings
    """PostgreSQL."""
    redis: RedisSettings = RedisSettings()
    """Redis."""
    backend: BackendSettings = BackendSettings()
    """Backends."""
    frontend: FrontendSettings = FrontendSettings()
    """Frontend."""
    nginx: NginxSettings = NginxSettings()
    """Load balancer."""
    certificates: Certificates = Certificates()
    """Certificates."""
    rolling: Rolling = Rolling()
    """Deploys without an outage."""
    logs: Logs = Logs()
    """Logs."""
    system_memory: Annotated[int, MEGABYTES.between("256MB", "64GB")] = 768
    """Memory kept for the system and the page cache."""
    kept_releases: Annotated[int, whole(1, 20)] = 3
    """Releases whose images stay on the host, so that a rollback needs no registry."""
    health_path: UrlPath = "/api/v1/health/ready"
    """What a backend answers when it is ready for requests."""
    network: Slug = "neurmatic-network"
    """The bridge network."""
    subnet: Cidr = "172.28.240.0/24"
    """Its IPv4 addresses. Changing them makes all containers anew."""
    subnet6: Cidr = "fd6e:6575:726d::/64"
    """Its IPv6 addresses, where the server has one (`host.ipv6`): visitors keep theirs on the way to nginx."""
    allow: Allow = Allow()
    """Opt-ins."""

    @property
    def pool(self) -> int:
        """Database connections of each backend."""
        return self.backend.pool if self.backend.pool is not None else min(self.largest_pool, self.backend.pool_cap)

    @property
    def largest_pool(self) -> int:
        """The largest pool with which the double set of a deploy leaves the reserved connections free."""
        free = self.postgres.max_connections - self.postgres.reserved_connections
        return max(0, free // (2 * self.backend.count))
