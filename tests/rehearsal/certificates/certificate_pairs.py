"""Certificates that no ACME server would give: old ones, weak ones, Cloudflare's."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import urllib3
from certificate_stage import APEX, SITE
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rehearsal.clouds.servers import Clouds

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def other(*, weak: bool = False) -> tuple[str, str]:
    """Chain and key for all names, of an authority of its own; it ends in a week. `weak`: nginx does not load it."""
    root = ec.generate_private_key(ec.SECP256R1())
    key = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())  # noqa: S505
    leaf, authority = signed(APEX, key, root), signed("root", root, root)
    return leaf + authority, private(key)


def signed(subject: str, key: Key, by: ec.EllipticCurvePrivateKey) -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(named("root"), named(subject), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=83))
    builder = builder.not_valid_after(now + datetime.timedelta(days=7))
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in SITE.names])
    authority = x509.BasicConstraints(ca=key is by, path_length=None)
    builder = builder.add_extension(names, critical=False).add_extension(authority, critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(PEM).decode()


def by_cloudflare(clouds: Clouds) -> str:
    """Certificate and key, as the program's resources make them."""
    key = rsa.generate_private_key(65537, 2048)
    request = x509.CertificateSigningRequestBuilder(named(APEX)).sign(key, hashes.SHA256())
    wanted: Mapping[str, Any] = {
        "csr": request.public_bytes(PEM).decode(),
        "hostnames": sorted(SITE.names),
        "request_type": "origin-rsa",
        "requested_validity": 5475,
    }
    answer = urllib3.request(
        "POST",
        f"{clouds.cloudflare.rstrip('/')}/certificates",
        json=wanted,
        headers={"Authorization": f"Bearer {clouds.cloudflare_token}"},
    )
    return f"{answer.json()['result']['certificate']}\n{private(key)}"


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def private(key: Key) -> str:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
