"""Certificates: the origin's, really signed by a CA of the rehearsal, and those that the edge shows the origin."""

from __future__ import annotations

import datetime
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, one_of, page, route, typed
from rehearsal.clouds.cloudflare.store import Object, World, new_id

VALIDITIES = (7, 30, 90, 365, 730, 1095, 5475)
REQUEST_TYPES = ("origin-rsa", "origin-ecc", "keyless-certificate")
# Imported where used: cryptography is not needed for the start.
# ruff: noqa: PLC0415


def create_origin_certificate(call: Call) -> Object:
    given = call.object()
    kind, days, names = given.get("request_type"), given.get("requested_validity", 5475), given.get("hostnames")
    if not one_of(kind, REQUEST_TYPES):
        raise RefusalError("certificate-invalid", why=f"request_type must be one of {', '.join(REQUEST_TYPES)}")
    if not one_of(days, VALIDITIES) and not one_of(days, map(float, VALIDITIES)):
        raise RefusalError("validity-invalid", allowed=", ".join(map(str, VALIDITIES)))
    if not isinstance(names, list) or not names or len(names) > 200:
        raise RefusalError("certificate-invalid", why="hostnames must be a list of 1 to 200 names")
    for name in names:
        _refuse_foreign(call.world, str(name))
    pem, expires = _signed(call.world, typed(given, "csr", str, ""), sorted(map(str, names)), int(days))
    certificate = {
        "id": new_id(),
        "certificate": pem,
        "csr": given["csr"],
        "hostnames": sorted(map(str, names)),
        "request_type": kind,
        "requested_validity": int(days),
        "expires_on": expires,
    }
    call.world.value["certificates"][certificate["id"]] = certificate
    return certificate


def _refuse_foreign(world: World, name: str) -> None:
    bare = name.removeprefix("*.")
    zones = [zone["name"] for zone in world.zones.values()]
    if not any(bare == zone or bare.endswith(f".{zone}") for zone in zones):
        raise RefusalError("hostname-foreign", name=name)


def _signed(world: World, csr: str, names: list[str], days: int) -> tuple[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        request = x509.load_pem_x509_csr(csr.encode())
        if not request.is_signature_valid:
            raise ValueError("its signature does not fit")
    except ValueError as error:
        raise RefusalError("csr-invalid", why=str(error)) from None
    issuer, key = _authority(world)
    now = world.clock.now().replace(microsecond=0)
    expires = now + datetime.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CloudFlare Origin Certificate")]))
        .issuer_name(issuer.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(expires)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), expires.strftime(
        "%Y-%m-%d %H:%M:%S +0000 UTC"
    )


def _authority(world: World) -> tuple[Any, Any]:
    """The rehearsal's stand-in for Cloudflare's origin CA, made when the first certificate is."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    kept = world.value["authority"]
    if not kept:
        kept.update(_new_authority(world))
    key = serialization.load_pem_private_key(kept["key"].encode(), password=None)
    return x509.load_pem_x509_certificate(kept["certificate"].encode()), key


def _new_authority(world: World) -> dict[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Rehearsal Origin CA (nobody trusts it)")])
    now = world.clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=20 * 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"key": private.decode(), "certificate": certificate.public_bytes(pem).decode()}


def _origin_certificate(call: Call) -> Object:
    found: Object | None = call.world.value["certificates"].get(call.ids["certificate"])
    if found is None:
        raise RefusalError("certificate-missing")
    return found


def list_origin_certificates(call: Call) -> Page:
    zone = call.world.zone(call.query.get("zone_id", ""))["name"]
    found = call.world.value["certificates"].values()
    return page((one for one in found if any(name.endswith(zone) for name in one["hostnames"])), call.query)


def revoke_origin_certificate(call: Call) -> Object:
    found = _origin_certificate(call)
    del call.world.value["certificates"][found["id"]]
    return {"id": found["id"], "revoked_at": call.world.now()}


def upload_client_certificate(call: Call) -> Object:
    """What the edge shows the origin. Key and certificate have to belong together."""
    given = call.object()
    certificate = _checked_pair(typed(given, "certificate", str, ""), typed(given, "private_key", str, ""))
    new = {
        "id": new_id(),
        "certificate": given["certificate"],
        "enabled": True,
        "expires_on": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": str(certificate.serial_number),
        "signature": "SHA256-RSA",
        "status": "active",
        "uploaded_on": call.world.now(),
    }
    call.zone["origin_pull_certificates"][new["id"]] = new
    return new


def _checked_pair(certificate: str, key: str) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise RefusalError("certificate-invalid", why="certificate and private_key must be PEM") from None
    if private.public_key() != found.public_key():
        raise RefusalError("certificate-invalid", why="the private key does not belong to the certificate")
    return found


def _client_certificate(call: Call) -> Object:
    found: Object | None = call.zone["origin_pull_certificates"].get(call.ids["certificate"])
    if found is None:
        raise RefusalError("certificate-missing")
    return found


def list_client_certificates(call: Call) -> Page:
    return page(call.zone["origin_pull_certificates"].values(), call.query)


def delete_client_certificate(call: Call) -> Object:
    found = _client_certificate(call)
    del call.zone["origin_pull_certificates"][found["id"]]
    return {**found, "status": "pending_deletion", "enabled": False}


PULLS = "zones/{zone}/origin_tls_client_auth"
ROUTES = (
    route("GET", "certificates", "origin_ca.list", list_origin_certificates),
    route("POST", "certificates", "origin_ca.create", create_origin_certificate),
    route("GET", "certificates/{certificate}", "origin_ca.get", _origin_certificate),
    route("DELETE", "certificates/{certificate}", "origin_ca.revoke", revoke_origin_certificate),
    route("GET", PULLS, "origin_pulls.list_certificates", list_client_certificates),
    route("POST", PULLS, "origin_pulls.upload_certificate", upload_client_certificate),
    route("GET", PULLS + "/{certificate}", "origin_pulls.get_certificate", _client_certificate),
    route("DELETE", PULLS + "/{certificate}", "origin_pulls.delete_certificate", delete_client_certificate),
)
