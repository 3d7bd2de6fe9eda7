"""Trust between Cloudflare and the origin, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.sdk import enter_lightly

enter_lightly("pulumi_cloudflare")

from pulumi_cloudflare.authenticated_origin_pulls_certificate import AuthenticatedOriginPullsCertificate  # noqa: E402
from pulumi_cloudflare.authenticated_origin_pulls_settings import AuthenticatedOriginPullsSettings  # noqa: E402
from pulumi_cloudflare.origin_ca_certificate import OriginCaCertificate  # noqa: E402
from pulumi_tls import CertRequest, LocallySignedCert, PrivateKey, SelfSignedCert  # noqa: E402

HOURS_A_YEAR = 8760
RENEW_BEFORE = 30 * 24
ORIGIN_VALIDITY = 730
"""Days. It is made anew in its first year, so a stack that nobody touches has another one left."""


@dataclass(frozen=True)
class KeyPair:
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


class OriginPulls(pulumi.ComponentResource):
    """A client CA of the zone's own: whoever has no certificate of it is not Cloudflare and gets no answer.

    (Cloudflare's shared CA would let in every other customer of Cloudflare.) Certificates renew a year at a time, a
    month before they end, by any `up`; the CA stays for ten years, so the origin notices nothing.
    """

    def __init__(self, name: str, zone_id: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("infra:edge:OriginPulls", name, None, opts)
        self._name = name
        self._ca_key = self._key("ca")
        self._ca = self._authority()
        edge = self._client("cloudflare")
        uploaded = AuthenticatedOriginPullsCertificate(
            f"{name}-certificate",
            zone_id=zone_id,
            certificate=edge.certificate,
            private_key=edge.key,
            opts=pulumi.ResourceOptions(parent=self),
        )
        AuthenticatedOriginPullsSettings(
            f"{name}-enabled",
            zone_id=zone_id,
            enabled=True,
            # Switched on before there is a certificate, Cloudflare would show its shared one.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[uploaded]),
        )
        self.client_ca: pulumi.Output[str] = self._ca.cert_pem
        """For the origin: the CA that it checks clients by."""
        self.probe = self._client("probe")
        """For health checks that ask the origin itself."""
        self.register_outputs({"client_ca": self.client_ca})

    def _key(self, role: str) -> PrivateKey:
        return PrivateKey(
            f"{self._name}-{role}-key", algorithm="RSA", rsa_bits=2048, opts=pulumi.ResourceOptions(parent=self)
        )

    def _authority(self) -> SelfSignedCert:
        return SelfSignedCert(
            f"{self._name}-ca",
            private_key_pem=self._ca_key.private_key_pem,
            subject={"common_name": f"{self._name} client CA"},
            is_ca_certificate=True,
            allowed_uses=["cert_signing", "crl_signing"],
            validity_period_hours=10 * HOURS_A_YEAR,
            early_renewal_hours=HOURS_A_YEAR,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _client(self, role: str) -> KeyPair:
        key = self._key(role)
        request = CertRequest(
            f"{self._name}-{role}-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": role},
            opts=pulumi.ResourceOptions(parent=self),
        )
        signed = LocallySignedCert(
            f"{self._name}-{role}",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._ca_key.private_key_pem,
            ca_cert_pem=self._ca.cert_pem,
            allowed_uses=["client_auth", "digital_signature"],
            validity_period_hours=HOURS_A_YEAR,
            early_renewal_hours=RENEW_BEFORE,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return KeyPair(signed.cert_pem, pulumi.Output.secret(key.private_key_pem))


class OriginCertificate(pulumi.ComponentResource):
    """A certificate for the origin that Cloudflare signs, and nobody but Cloudflare trusts.

    It is made anew once a year, by any `up` of the last month; the one before is only revoked when that `up` ends.
    """

    def __init__(self, name: str, names: Sequence[str], opts: pulumi.ResourceOptions) -> None:
        super().__init__("infra:edge:OriginCertificate", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        key = PrivateKey(f"{name}-key", algorithm="RSA", rsa_bits=2048, opts=inside)
        request = CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": names[0]},
            dns_names=list(names),
            opts=inside,
        )
        signed = OriginCaCertificate(
            f"{name}-certificate",
            csr=request.cert_request_pem,
            # The API answers them sorted.
            hostnames=sorted(names),
            request_type="origin-rsa",
            requested_validity=ORIGIN_VALIDITY,
            opts=pulumi.ResourceOptions(parent=self, replacement_trigger=self._year(name, key)),
        )
        self.pair = KeyPair(signed.certificate, pulumi.Output.secret(key.private_key_pem))
        self.register_outputs({})

    def _year(self, name: str, key: PrivateKey) -> pulumi.Output[str]:
        """Nobody is ever shown this one: it is the clock, because the provider of the other has none."""
        clock = SelfSignedCert(
            f"{name}-year",
            private_key_pem=key.private_key_pem,
            subject={"common_name": name},
            allowed_uses=["digital_signature"],
            validity_period_hours=HOURS_A_YEAR,
            early_renewal_hours=RENEW_BEFORE,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return clock.validity_start_time
