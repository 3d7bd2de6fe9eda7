"""The `edge` section: the Cloudflare zone in front of a system."""

from enum import Enum
from typing import Annotated

from components.leaves import Text, whole
from components.section import Section
from components.values import (
    SECONDS,
    AccountId,
    CloudflarePlan,
    CountryCode,
    Email,
    Fqdn,
    OnMisfit,
    Sentence,
    UrlPath,
    ZoneId,
    ZoneRole,
)

CERTIFICATE_AUTHORITIES = ("letsencrypt.org", "pki.goog", "digicert.com", "sectigo.com", "ssl.com")


class RecordType(str, Enum):
    A = "A"
    AAAA = "AAAA"
    CAA = "CAA"
    CNAME = "CNAME"
    MX = "MX"
    TXT = "TXT"


class BotAction(str, Enum):
    ALLOW = "allow"
    BLOCK = "block"
    CHALLENGE = "managed_challenge"


RecordName = Annotated[
    str,
    Text(
        "a name in the zone: @ for the zone itself, or labels such as em1234 or _dmarc",
        pattern=r"@|(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*",
        longest=253,
    ),
]


class Record(Section):
    """A further DNS record: mail, ownership proofs and the like. The site's own names need none."""

    name: RecordName
    """Its name, without the zone."""
    type: RecordType
    """Its type."""
    content: Sentence
    """Its content. CAA: flags, tag and value, such as 0 issue letsencrypt.org."""
    priority: Annotated[int, whole(0, 65535)] | None = None
    """MX: the lower, the earlier it is tried."""
    ttl: Annotated[int, SECONDS.between("60s", "1d")] = 300
    """How long resolvers keep it."""


SendgridSubdomain = Annotated[str, Text("the label that SendGrid names, such as em1234", pattern=r"em[0-9]{1,8}")]
SendgridAccount = Annotated[
    str, Text("SendGrid's account, such as u1234567.wl123", pattern=r"u[0-9]+\.wl[0-9]+", longest=100)
]


class Mail(Section):
    """Mail that the system sends, by SendGrid: SPF, DKIM and DMARC make it deliverable."""

    sendgrid_subdomain: SendgridSubdomain | None = None
    """SendGrid's return path (domain authentication). Unset: no SendGrid records."""
    sendgrid_account: SendgridAccount | None = None
    """The host in front of .sendgrid.net that SendGrid's three CNAME records point to."""
    spf: Sentence | None = None
    """The zone's SPF policy. Unset: v=spf1 -all, or with SendGrid v=spf1 include:sendgrid.net -all."""
    dmarc: Sentence = "v=DMARC1; p=quarantine; adkim=r; aspf=r"
    """The zone's DMARC policy."""


class Tls(Section):
    """TLS between visitors and Cloudflare. Towards the origin it is always Full (strict)."""

    minimum: Annotated[str, Text('"1.2" or "1.3", in quotes', pattern=r"1\.[23]", longest=3)] = "1.2"
    """The oldest version."""
    tls_1_3: bool = True
    """TLS 1.3."""
    http3: bool = True
    """HTTP/3."""
    zero_rtt: bool = False
    """0-RTT: faster, but the first request can be replayed."""


class Waf(Section):
    """Cloudflare's managed rules (Pro and above) and rules of our own."""

    managed: bool = True
    """The Cloudflare Managed Ruleset."""
    owasp: bool = True
    """The OWASP Core Ruleset."""
    owasp_threshold: Annotated[int, whole(5, 100)] = 25
    """The anomaly score at which OWASP acts. Cloudflare's own choices are 60, 40 and 25; lower is stricter."""
    owasp_paranoia: Annotated[int, whole(1, 4)] = 2
    """OWASP's paranoia level: the higher, the more attacks and the more harmless requests are stopped."""
    sql_injection: bool = True
    """A rule of our own against SQL injection in the address."""
    blocked_countries: tuple[CountryCode, ...] = ()
    """Countries whose visitors are refused."""


class Bots(Section):
    """Super Bot Fight Mode (Pro and above); on the free plan Bot Fight Mode."""

    definitely: BotAction = BotAction.BLOCK
    """What happens to certain bots."""
    likely: BotAction = BotAction.CHALLENGE
    """What happens to likely bots (Business and above)."""
    verified: BotAction = BotAction.ALLOW
    """What happens to search engines and the like."""
    ai: BotAction = BotAction.ALLOW
    """What happens to crawlers that collect training data."""


class HealthCheck(Section):
    """A check that Cloudflare makes from outside (Pro and above)."""

    enabled: bool = True
    """Whether it runs."""
    path: UrlPath = "/api/v1/health"
    """What it asks the API for."""
    interval: Annotated[int, SECONDS.between("60s", "1h")] = 60
    """How often."""
    failures: Annotated[int, whole(1, 10)] = 2
    """Failures in a row that count as down."""


class Notifications(Section):
    """Who Cloudflare tells: origin down, certificates, attacks, DNS changes. Needs `account_id`."""

    emails: tuple[Email, ...] = ()
    """Mail addresses. Empty: nobody is told."""


StackName = Annotated[
    str,
    Text(
        "a stack's full name, such as organization/neurmatic/staging",
        pattern=r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+",
        longest=300,
    ),
]


class EdgeSettings(Section):
    """The zone."""

    zone: Fqdn
    """The zone's name, such as neurmatic.com."""
    zone_id: ZoneId
    """The zone's id (dashboard, Overview, API). A zone is adopted, never created or destroyed."""
    account_id: AccountId | None = None
    """The account's id; health checks and notifications need it."""
    role: ZoneRole
    """`owner` writes the zone's settings and rules; `tenant` has its own DNS records only."""
    tenants: tuple[StackName, ...] = ()
    """For the owner: stacks whose rules for their own names it takes into the zone. They have to exist already."""
    plan: CloudflarePlan = CloudflarePlan.PRO
    """What the account pays for: it decides which rules can be said."""
    on_misfit: OnMisfit = OnMisfit.LOOSER
    """What to do where the plan cannot express a rate limit."""
    advanced_certificate: bool = False
    """Advanced Certificate Manager is on: names deeper than one label below the zone get certificates too."""
    ttl: Annotated[int, SECONDS.between("60s", "1d")] = 300
    """TTL of records that are not proxied."""
    dnssec: bool = True
    """Sign the zone. The registrar needs the DS record that the program prints."""
    records: tuple[Record, ...] = ()
    """Further DNS records."""
    certificate_authorities: tuple[Fqdn, ...] = CERTIFICATE_AUTHORITIES
    """Who may issue certificates for the zone (CAA): the origin's issuer and those that Cloudflare uses."""
    mail: Mail = Mail()
    """Mail."""
    tls: Tls = Tls()
    """TLS."""
    waf: Waf = Waf()
    """Firewall."""
    bots: Bots = Bots()
    """Bots."""
    tiered_cache: bool = True
    """Fewer requests to the origin: Cloudflare's places ask each other first."""
    origin_pulls: bool = True
    """Cloudflare proves itself to the origin with a client certificate of the zone's own."""
    health: HealthCheck = HealthCheck()
    """Health check."""
    notifications: Notifications = Notifications()
    """Notifications."""


class PlatformEdge(EdgeSettings):
    """A zone in front of platforms: the names point to theirs instead of to a server."""

    api_target: Fqdn
    """The platform's name of the API, as Railway shows it."""
    www_target: Fqdn = "cname.vercel-dns.com"
    """The platform's name of the frontend."""
    body_limit: Annotated[int, whole(1, 100 * 1024)] = 512
    """Bodies above so many kilobytes are refused where the plan can tell."""
    origin_pulls: bool = False
    """Platforms do not check client certificates."""
    health: HealthCheck = HealthCheck(path="/health")
    """Health check."""
