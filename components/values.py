"""The vocabulary of the stack files.

Types that look alike and are not:

- `Fqdn` is a full name in the DNS ("api.neurmatic.com"), `HostLabel` one part of such a name ("api").
- `HostAddress` is where something is reached, by name or number; `Ipv4` and `Ipv6` are numbers only, because an A
  record cannot hold a name. `Cidr` is a set of addresses; one address alone is a set of one.
- `Megabytes` and `Kilobytes` count in steps of 1024, as PostgreSQL, Redis and Docker do.
- `ImageRef` names an image; only one with a digest (`pinned`) is certain to be the same image tomorrow.
- `HostKey` is what a server proves itself with, `SshPublicKey` what a person proves itself with. Both look the same.
- `Slug` names a thing of ours in lower case, `BucketName` a bucket, which all customers of AWS share.
- `Seconds` and `Days` are both written with a unit ("30s", "90d"); `Days` refuses less than a day.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from components.leaves import Leaf, Parts, Quantity, Text, Written, decimal, whole

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_FQDN = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"


def is_ipv4(text: str) -> bool:
    return _parses(ipaddress.IPv4Address, text)


def is_ipv6(text: str) -> bool:
    return "%" not in text and _parses(ipaddress.IPv6Address, text)


def _is_cidr(text: str) -> bool:
    return "%" not in text and _parses(ipaddress.ip_network, text)


def _parses(read: Any, text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    if re.fullmatch(_FQDN, text):
        return len(text) <= 253
    return is_ipv4(text) or is_ipv6(text)


def _is_ssh_key(text: str) -> bool:
    """The blob repeats its own type in front: a cut or mixed-up key does not."""
    kind, blob = text.split(" ")[:2]
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return False
    length = int.from_bytes(raw[:4], "big")
    return raw[4 : 4 + length] == kind.encode() and len(raw) > 4 + length


HostLabel = Annotated[str, Text("one part of a host name, such as api", pattern=_LABEL, longest=63)]
Fqdn = Annotated[str, Text("a full host name in lower case, such as api.neurmatic.com", pattern=_FQDN, longest=253)]
HostAddress = Annotated[
    str,
    Text("a host name or an IP address", pattern=r"[0-9a-z.:-]+", longest=253, check=_is_host),
]
Ipv4 = Annotated[str, Text("an IPv4 address, such as 51.83.45.10", pattern=r"[0-9.]{7,15}", longest=15, check=is_ipv4)]
Ipv6 = Annotated[
    str,
    Text(
        "an IPv6 address, such as 2001:41d0:701::1",
        pattern=r"[0-9a-fA-F:.]{2,45}",
        longest=45,
        check=is_ipv6,
        tidy=lambda text: str(ipaddress.IPv6Address(text)),
    ),
]
Cidr = Annotated[
    str,
    Text(
        "an address or a range of addresses without host bits, such as 51.83.45.0/24",
        pattern=r"[0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?",
        longest=49,
        check=_is_cidr,
        tidy=lambda text: str(ipaddress.ip_network(text)),
    ),
]
Email = Annotated[
    str,
    Text(
        "a mail address, such as admin@neurmatic.com",
        pattern=rf"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{{0,62}}[A-Za-z0-9])?@{_FQDN}",
        longest=254,
        check=lambda text: ".." not in text,
    ),
]
HttpsUrl = Annotated[
    str,
    Text(
        "an https:// address without user name or password",
        pattern=rf"https://{_FQDN}(?::[0-9]{{1,5}})?(?:/[!-~]*)?",
        longest=2048,
    ),
]
Origin = Annotated[
    str,
    Text(
        "an origin: https:// and a host name, without a path, such as https://neurmatic.com",
        pattern=rf"https://{_FQDN}(?::[0-9]{{1,5}})?",
        longest=261,
    ),
]
UrlPath = Annotated[
    str,
    Text("a path that begins with /, such as /api/v1/", pattern=r"/[A-Za-z0-9._~/-]*", longest=255),
]
AbsolutePath = Annotated[
    str,
    Text(
        "an absolute path without . or .. parts, such as /opt/neurmatic",
        pattern=r"(?:/[A-Za-z0-9_.-]+)+",
        longest=255,
        check=lambda text: not {".", ".."} & set(text.split("/")),
    ),
]
RelativePath = Annotated[
    str,
    Text(
        "a relative path without . or .. parts, such as infrastructure/nginx",
        pattern=r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*",
        longest=255,
        check=lambda text: not {".", ".."} & set(text.split("/")),
    ),
]
ObjectPrefix = Annotated[
    str,
    Text("a prefix of object names that ends in /, such as database/", pattern=r"(?:[a-z0-9_-]+/)+", longest=200),
]
UserName = Annotated[str, Text("a Linux user name, such as deploy", pattern=r"[a-z_][a-z0-9_-]{0,31}", longest=32)]
RegistryUser = Annotated[
    str,
    Text(
        "a user name of the registry",
        pattern=r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})",
        longest=39,
    ),
]
PackageName = Annotated[str, Text("the name of a Debian package", pattern=r"[a-z0-9][a-z0-9+.-]+", longest=100)]
Slug = Annotated[
    str,
    Text(
        "lower-case letters, digits and single hyphens, such as api-login",
        pattern=r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
        longest=63,
    ),
]
SqlName = Annotated[
    str,
    Text("a PostgreSQL name in lower case, such as neurmatic_prod", pattern=r"[a-z_][a-z0-9_]*", longest=63),
]
BucketName = Annotated[
    str,
    Text(
        "a bucket name: 3 to 63 lower-case letters, digits and hyphens",
        # Dots are legal but break TLS to the virtual-hosted name, so they are left out.
        pattern=r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        longest=63,
        check=lambda text: not text.startswith(("xn--", "sthree-")) and not text.endswith(("-s3alias", "--ol-s3")),
    ),
]
AwsRegion = Annotated[
    str,
    Text(
        "an AWS region, such as eu-west-1",
        pattern=r"(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov)?-(?:central|north|south|east|west)"
        r"(?:east|west)?-[1-9]",
        longest=20,
    ),
]
SemanticVersion = Annotated[
    str,
    Text(
        "a semantic version, such as 1.4.2",
        pattern=r"(?:0|[1-9][0-9]{0,5})\.(?:0|[1-9][0-9]{0,5})\.(?:0|[1-9][0-9]{0,5})"
        r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
        longest=64,
    ),
]
ImageDigest = Annotated[
    str,
    Text("an image digest: sha256: and 64 hexadecimal digits", pattern=r"sha256:[0-9a-f]{64}", longest=71),
]
ZoneId = Annotated[str, Text("a Cloudflare zone id: 32 hexadecimal digits", pattern=r"[0-9a-f]{32}", longest=32)]
AccountId = Annotated[str, Text("a Cloudflare account id: 32 hexadecimal digits", pattern=r"[0-9a-f]{32}", longest=32)]
CountryCode = Annotated[
    str, Text("a country as two capital letters (ISO 3166), such as KP", pattern=r"[A-Z]{2}", longest=2)
]
GpgFingerprint = Annotated[str, Text("a GPG fingerprint: 40 hexadecimal digits", pattern=r"[0-9A-F]{40}", longest=40)]
AgeRecipient = Annotated[
    str, Text("an age recipient: age1 and 58 characters", pattern=r"age1[02-9ac-hj-np-z]{58}", longest=62)
]
TimeOfDay = Annotated[
    str, Text("a time of day in UTC, such as 02:00", pattern=r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", longest=5)
]
TimeZone = Annotated[
    str,
    Text("a time zone, such as Etc/UTC", pattern=r"[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*", longest=60),
]
_SSH_KEY = (
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com)"
    r" [A-Za-z0-9+/]{32,}={0,2}"
)
HostKey = Annotated[
    str,
    Text(
        "a server's public key as ssh-keyscan prints it, without the host: ssh-ed25519 AAAA...",
        pattern=_SSH_KEY,
        longest=1000,
        check=_is_ssh_key,
    ),
]
SshPublicKey = Annotated[
    str,
    Text(
        "a public key of one line: ssh-ed25519 AAAA... comment",
        pattern=_SSH_KEY + r"(?: [!-~]+)*",
        longest=1200,
        check=_is_ssh_key,
    ),
]
Sentence = Annotated[str, Text("one line of text", pattern=r"[^\x00-\x1f\x7f]+", longest=4096)]
HeaderValue = Annotated[
    str,
    # nginx would read a quote, a backslash or a dollar sign as its own.
    Text('printable characters except ", $ and \\', pattern=r"[ !#%-\[\]-~]+", longest=4096),
]
HttpMethod = Annotated[str, Text("an HTTP method in capital letters, such as GET", pattern=r"[A-Z]{3,10}", longest=10)]

Port = Annotated[int, whole(1, 65535)]
Percent = Annotated[int, whole(0, 100)]
Cpus = Annotated[float, decimal(0.05, 256)]
Share = Annotated[float, decimal(0, 1)]

_SIZES = (
    *(("MB", 1), ("mb", 1), ("M", 1), ("m", 1)),
    *(("GB", 1024), ("gb", 1024), ("G", 1024), ("g", 1024)),
    *(("TB", 1024**2), ("tb", 1024**2)),
)
_SMALL_SIZES = (
    *(("kB", 1), ("KB", 1), ("kb", 1), ("k", 1)),
    *(("MB", 1024), ("mb", 1024), ("M", 1024), ("m", 1024)),
    *(("GB", 1024**2), ("gb", 1024**2), ("G", 1024**2), ("g", 1024**2)),
)
_TIMES = (("s", 1), ("m", 60), ("min", 60), ("h", 3600), ("d", 86400))

MEGABYTES = Quantity("a size with its unit, such as 512MB or 2GB", "a size", _SIZES)
KILOBYTES = Quantity("a size with its unit, such as 512kB or 4MB", "a size", _SMALL_SIZES)
SECONDS = Quantity("a time with its unit, such as 30s, 15m, 24h or 7d", "a time", _TIMES)
DAYS = Quantity("a number of days, such as 90d", "a number of days", (("d", 1),))

Megabytes = Annotated[int, MEGABYTES.between("1MB", "16TB")]
Kilobytes = Annotated[int, KILOBYTES.between("1kB", "16GB")]
Seconds = Annotated[int, SECONDS.between("1s", "366d")]
Days = Annotated[int, DAYS.between("1d", "3650d")]


_IMAGE = (
    r"(?P<repository>(?:[a-z0-9.-]+(?::[0-9]{1,5})?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class ImageRef(Written):
    """A container image: repository, and a tag or a digest or both."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def kind(cls) -> Leaf:
        return Parts("an image, such as postgres:15-alpine or ghcr.io/owner/name@sha256:...", cls, _IMAGE)

    @classmethod
    def from_parts(cls, parts: Mapping[str, str | None]) -> ImageRef:
        return cls(parts["repository"] or "", parts["tag"], parts["digest"])

    @property
    def pinned(self) -> bool:
        return self.digest is not None

    def at(self, digest: str | None) -> ImageRef:
        """The same image, certain to stay the same."""
        return self if digest is None else ImageRef(self.repository, self.tag, digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.repository + tag + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True)
class Rate(Written):
    """So many requests in so many seconds, per visitor address."""

    requests: int
    seconds: int

    @classmethod
    def kind(cls) -> Leaf:
        pattern = r"(?P<requests>[1-9][0-9]{0,6})/(?P<count>[1-9][0-9]{0,3})?(?P<unit>s|min|h)"
        return Parts("a rate, such as 10/s, 5/min or 300/10min", cls, pattern)

    @classmethod
    def from_parts(cls, parts: Mapping[str, str | None]) -> Rate:
        count = int(parts["count"] or 1)
        return cls(int(parts["requests"] or 0), count * {"s": 1, "min": 60, "h": 3600}[parts["unit"] or "s"])

    def __str__(self) -> str:
        for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
            if self.seconds % size == 0:
                count = self.seconds // size
                return f"{self.requests}/{'' if count == 1 else count}{unit}"
        raise AssertionError("unreachable: every number of seconds is a multiple of 1")


class Environment(str, Enum):
    STAGING = "staging"
    PRODUCTION = "production"


class DataPolicy(str, Enum):
    """What a destroy does to data: `protected` refuses, `disposable` is for rehearsals and trials."""

    PROTECTED = "protected"
    DISPOSABLE = "disposable"


class ZoneRole(str, Enum):
    """Cloudflare keeps one ruleset per phase and zone: the owner writes them, a tenant has DNS records only."""

    OWNER = "owner"
    TENANT = "tenant"


class CloudflarePlan(str, Enum):
    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"


class OnMisfit(str, Enum):
    """What to do where a plan cannot express a rate limit.

    `looser`: the same count over the period that the plan has. `stricter`: a count that never lets more through than
    asked. `refuse`: stop.
    """

    LOOSER = "looser"
    STRICTER = "stricter"
    REFUSE = "refuse"


class HttpFrom(str, Enum):
    """Who may reach ports 80 and 443 of the host."""

    CLOUDFLARE = "cloudflare"
    EVERYONE = "everyone"


class DatabaseProfile(str, Enum):
    """The two sets of PostgreSQL figures: `standard` for 4 CPU and 4 GB, `large` for 8 CPU and 32 GB."""

    STANDARD = "standard"
    LARGE = "large"


class Issuer(str, Enum):
    """Who signs the origin's certificate, and how the names are proven."""

    LETS_ENCRYPT_HTTP01 = "lets_encrypt_http01"
    LETS_ENCRYPT_DNS01 = "lets_encrypt_dns01"
    CLOUDFLARE_ORIGIN = "cloudflare_origin"


class ArchiveClass(str, Enum):
    """Storage classes that S3 accepts for a move out of STANDARD_IA, dearest to reach last."""

    GLACIER_IR = "GLACIER_IR"
    GLACIER = "GLACIER"
    DEEP_ARCHIVE = "DEEP_ARCHIVE"


class LogLevel(str, Enum):
    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"


class OauthProvider(str, Enum):
    GOOGLE = "google"
    LINKEDIN = "linkedin"
    GITHUB = "github"
