"""pulumi-tls: really generated keys, requests and certificates."""

import base64
import datetime
import hashlib
import ipaddress
from collections.abc import Collection
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from rehearsal.offline.plugins.generated import Generated
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import UNKNOWN, Sides, Values

_CURVES: Values = {"P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1}
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_PEM = serialization.Encoding.PEM
_PRIVATE, _PUBLIC = serialization.PrivateFormat, serialization.PublicFormat
# The names of key usages are those of the cryptography package, but for two.
_PLAIN_USES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only"
)
_KEY_USES = {use: use for use in _PLAIN_USES.split()} | {"cert_signing": "key_cert_sign", "crl_signing": "crl_sign"}
_EXTENDED = """
any_extended=2.5.29.37.0 server_auth=1.3.6.1.5.5.7.3.1 client_auth=1.3.6.1.5.5.7.3.2 code_signing=1.3.6.1.5.5.7.3.3
email_protection=1.3.6.1.5.5.7.3.4 ipsec_end_system=1.3.6.1.5.5.7.3.5 ipsec_tunnel=1.3.6.1.5.5.7.3.6
ipsec_user=1.3.6.1.5.5.7.3.7 timestamping=1.3.6.1.5.5.7.3.8 ocsp_signing=1.3.6.1.5.5.7.3.9
netscape_server_gated_crypto=2.16.840.1.113730.4.1 microsoft_server_gated_crypto=1.3.6.1.4.1.311.10.3.3
microsoft_commercial_code_signing=1.3.6.1.4.1.311.2.1.22 microsoft_kernel_code_signing=1.3.6.1.4.1.311.61.1.1
"""
_EXTENDED_USES = {
    name: x509.ObjectIdentifier(number) for name, number in (pair.split("=") for pair in _EXTENDED.split())
}
_SUBJECT = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}


def _key_algorithm(key: Any) -> str:
    kinds = ((rsa.RSAPrivateKey, "RSA"), (rsa.RSAPublicKey, "RSA"), (ec.EllipticCurvePrivateKey, "ECDSA"))
    return next((name for kind, name in kinds if isinstance(key, kind)), "ED25519")


def _load_key(pem: str, where: str) -> Any:
    try:
        return serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise Refusal(f"{where} is not a private key in PEM without a passphrase.") from error


def _not_among(inputs: Values, name: str, allowed: Collection[str]) -> list[str]:
    value = inputs.get(name)
    wrong = value is not None and value is not UNKNOWN and value not in allowed
    return [f"{name} must be one of {', '.join(allowed)}."] if wrong else []


class Key(Generated):
    """tls.PrivateKey."""

    static: ClassVar[Values] = {"ecdsaCurve": "P224", "rsaBits": 2048}

    def make(self, inputs: Values) -> tuple[str, Values]:
        key: Any = self._generate(inputs)
        traditional = _PRIVATE.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else _PRIVATE.TraditionalOpenSSL
        der = key.public_key().public_bytes(serialization.Encoding.DER, _PUBLIC.SubjectPublicKeyInfo)
        no_ssh = inputs["algorithm"] == "ECDSA" and inputs["ecdsaCurve"] == "P224"
        outputs = {
            "privateKeyPem": self._private(key, traditional),
            "privateKeyPemPkcs8": self._private(key, _PRIVATE.PKCS8),
            "privateKeyOpenssh": "" if no_ssh else self._private(key, _PRIVATE.OpenSSH),
            "publicKeyPem": key.public_key().public_bytes(_PEM, _PUBLIC.SubjectPublicKeyInfo).decode(),
            **self._ssh(None if no_ssh else key),
        }
        return hashlib.sha1(der).hexdigest(), outputs  # noqa: S324 - the real plugin's id is this digest

    def mistakes(self, inputs: Values) -> list[str]:
        return [
            *_not_among(inputs, "algorithm", ("RSA", "ECDSA", "ED25519")),
            *_not_among(inputs, "ecdsaCurve", _CURVES),
        ]

    def _generate(self, inputs: Values) -> Any:
        if inputs["algorithm"] == "RSA":
            return rsa.generate_private_key(65537, inputs["rsaBits"])
        if inputs["algorithm"] == "ECDSA":
            return ec.generate_private_key(_CURVES[inputs["ecdsaCurve"]]())
        return ed25519.Ed25519PrivateKey.generate()

    def _private(self, key: Any, form: Any) -> str:
        return str(key.private_bytes(_PEM, form, serialization.NoEncryption()).decode())

    def _ssh(self, key: Any) -> dict[str, str]:
        names = ("publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256")
        if key is None:
            return dict.fromkeys(names, "")
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, _PUBLIC.OpenSSH).decode()
        blob = base64.b64decode(line.split()[1])
        md5 = hashlib.md5(blob).hexdigest()  # noqa: S324 - a fingerprint that ssh-keygen prints
        sha256 = base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode()
        pairs = ":".join(md5[index : index + 2] for index in range(0, 32, 2))
        return dict(zip(names, (f"{line}\n", pairs, f"SHA256:{sha256}"), strict=True))


def _name(subject: Values) -> x509.Name:
    parts = [(oid, subject.get(key)) for key, oid in _SUBJECT.items()]
    parts += [(NameOID.STREET_ADDRESS, line) for line in subject.get("streetAddresses", [])]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def _alternatives(inputs: Values) -> x509.SubjectAlternativeName | None:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in inputs.get("dnsNames") or []]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in inputs.get("ipAddresses") or []]
    names += [x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris") or []]
    return x509.SubjectAlternativeName(names) if names else None


class Request(Generated):
    """tls.CertRequest."""

    def make(self, inputs: Values) -> tuple[str, Values]:
        key = _load_key(inputs.get("privateKeyPem", ""), "privateKeyPem")
        builder = x509.CertificateSigningRequestBuilder(_name(inputs.get("subject") or {}))
        if names := _alternatives(inputs):
            builder = builder.add_extension(names, critical=False)
        request = builder.sign(key, _digest(key))
        pem = request.public_bytes(_PEM).decode()
        return hashlib.sha1(pem.encode()).hexdigest(), {  # noqa: S324 - the real plugin's id
            "certRequestPem": pem,
            "keyAlgorithm": _key_algorithm(key),
        }


def _digest(key: Any) -> Any:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


class Certificate(Generated):
    """What the two kinds of certificate have in common."""

    static: ClassVar[Values] = {
        "earlyRenewalHours": 0,
        "isCaCertificate": False,
        "setSubjectKeyId": False,
    }

    def mistakes(self, inputs: Values) -> list[str]:
        uses = inputs["allowedUses"] if inputs["allowedUses"] is not UNKNOWN else []
        named = {f"allowedUses[{index}]": use for index, use in enumerate(uses)}
        return [text for name in named for text in _not_among(named, name, (*_KEY_USES, *_EXTENDED_USES))]

    def defaults(self, inputs: Values) -> Values:
        """Add the defaults; a certificate can be due for renewal from its first hour."""
        given = {**self.static, **inputs}
        hours = (given.get("validityPeriodHours", UNKNOWN), given["earlyRenewalHours"])
        return {**given, "readyForRenewal": UNKNOWN not in hours and hours[0] <= hours[1]}

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        before, after = super().sides(subject, state, old, new)
        end = datetime.datetime.strptime(state.get("validityEndTime", "9999-01-01T00:00:00Z"), _TIME).replace(
            tzinfo=datetime.timezone.utc
        )
        early = after["earlyRenewalHours"]
        window = datetime.timedelta(hours=0 if early is UNKNOWN else early)
        due = datetime.datetime.now(datetime.timezone.utc) >= end - window
        return {**before, "readyForRenewal": False}, {**after, "readyForRenewal": due}

    def issue(self, inputs: Values, subject: x509.Name, issuer: x509.Name, keys: tuple[Any, Any]) -> Any:
        """Build and sign: `keys` are the public key to certify and the private key that signs."""
        start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        end = start + datetime.timedelta(hours=inputs["validityPeriodHours"])
        builder = x509.CertificateBuilder(issuer, subject, keys[0], x509.random_serial_number(), start, end)
        for extension, critical in self._extensions(inputs, keys):
            builder = builder.add_extension(extension, critical)
        return builder

    def _extensions(self, inputs: Values, keys: tuple[Any, Any]) -> list[tuple[Any, bool]]:
        authority, uses = inputs["isCaCertificate"], inputs["allowedUses"]
        wanted = {_KEY_USES[use] for use in uses if use in _KEY_USES}
        extended = [_EXTENDED_USES[use] for use in uses if use in _EXTENDED_USES]
        length = inputs.get("maxPathLength") if authority else None
        found: list[tuple[Any, bool]] = [(x509.BasicConstraints(authority, length), True)]
        if wanted:
            found.append((x509.KeyUsage(**{name: name in wanted for name in _KEY_USES.values()}), True))
        if extended:
            found.append((x509.ExtendedKeyUsage(extended), False))
        if inputs["setSubjectKeyId"] or authority:
            found.append((x509.SubjectKeyIdentifier.from_public_key(keys[0]), False))
        return found

    def outputs(self, certificate: x509.Certificate) -> tuple[str, Values]:
        """Give the id and what the certificate says."""
        return str(certificate.serial_number), {
            "certPem": certificate.public_bytes(_PEM).decode(),
            "validityStartTime": certificate.not_valid_before_utc.strftime(_TIME),
            "validityEndTime": certificate.not_valid_after_utc.strftime(_TIME),
        }


class SelfSigned(Certificate):
    """tls.SelfSignedCert."""

    static: ClassVar[Values] = {**Certificate.static, "setAuthorityKeyId": False}

    def make(self, inputs: Values) -> tuple[str, Values]:
        key = _load_key(inputs.get("privateKeyPem", ""), "privateKeyPem")
        name = _name(inputs.get("subject") or {})
        builder = self.issue(inputs, name, name, (key.public_key(), key))
        if names := _alternatives(inputs):
            builder = builder.add_extension(names, critical=False)
        identity, outputs = self.outputs(builder.sign(key, _digest(key)))
        return identity, {**outputs, "keyAlgorithm": _key_algorithm(key)}


class LocallySigned(Certificate):
    """tls.LocallySignedCert."""

    def make(self, inputs: Values) -> tuple[str, Values]:
        key = _load_key(inputs.get("caPrivateKeyPem", ""), "caPrivateKeyPem")
        try:
            request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
            authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        except ValueError as error:
            raise Refusal("certRequestPem and caCertPem must be a request and a certificate in PEM.") from error
        builder = self.issue(inputs, request.subject, authority.subject, (request.public_key(), key))
        for extension in request.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, extension.critical)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        identity, outputs = self.outputs(builder.sign(key, _digest(key)))
        return identity, {**outputs, "caKeyAlgorithm": _key_algorithm(key)}


ACTORS = {
    "tls:index/privateKey:PrivateKey": Key(),
    "tls:index/certRequest:CertRequest": Request(),
    "tls:index/selfSignedCert:SelfSignedCert": SelfSigned(),
    "tls:index/locallySignedCert:LocallySignedCert": LocallySigned(),
}
