"""What acts: random values, keys and certificates are real ones; data sources answer as documented."""

import datetime
import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Opened
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pulumi.runtime.proto import provider_pb2

from rehearsal.offline.plugins import wire
from rehearsal.offline.plugins.check import nested_defaults
from rehearsal.offline.plugins.randoms import _libcrypt

PASSWORD = "random:index/randomPassword:RandomPassword"


def made(driver: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    driver.play({"do": "check", "with": inputs})
    answer = driver.play({"do": "create"})
    assert "error" not in answer, answer
    return {key: item["value"] if isinstance(item, dict) and "$" in item else item for key, item in _flat(answer)}


def _flat(answer: dict[str, Any]) -> list[tuple[str, Any]]:
    return [*answer["properties"].items(), ("id", answer["id"])]


@pytest.mark.parametrize(
    ("inputs", "allowed"),
    [
        ({"length": 64, "special": False, "upper": False}, "abcdefghijklmnopqrstuvwxyz0123456789"),
        ({"length": 64, "overrideSpecial": "_", "lower": False, "upper": False, "numeric": False}, "_"),
        ({"length": 64, "number": False, "special": False, "upper": False}, "abcdefghijklmnopqrstuvwxyz"),
    ],
)
def test_a_password_is_of_the_characters_asked_for(opened: Opened, inputs: dict[str, Any], allowed: str) -> None:
    result = made(opened("random", PASSWORD), inputs)["result"]
    assert len(result) == 64
    assert set(result) <= set(allowed)


def test_a_password_has_its_minimums_and_its_hash_and_never_comes_twice(opened: Opened) -> None:
    inputs = {"length": 10, "minUpper": 3, "minNumeric": 3, "minSpecial": 2, "minLower": 2}
    driver = opened("random", PASSWORD)
    passwords = [made(driver, inputs) for _ in range(3)]
    for given in passwords:
        result, digest = given["result"], given["bcryptHash"]
        counts = [sum(map(test, result)) for test in (str.isupper, str.isdigit, str.islower)]
        assert counts == [3, 3, 2]
        assert digest.startswith("$2a$10$")
        assert _libcrypt().crypt(result.encode(), digest.encode()).decode() == digest
    assert len({given["result"] for given in passwords}) == 3


def test_a_password_can_be_imported_but_an_id_cannot(opened: Opened) -> None:
    read = opened("random", PASSWORD).play({"do": "read", "import": "correct horse"})
    assert read["properties"]["result"] == {"$": "secret", "value": "correct horse"}
    refused = opened("random", "random:index/randomId:RandomId").play({"do": "read", "import": "x"})
    assert "cannot be imported" in refused["error"]


@pytest.mark.parametrize(
    "inputs", [{"algorithm": "RSA"}, {"algorithm": "ECDSA", "ecdsaCurve": "P256"}, {"algorithm": "ED25519"}]
)
def test_a_key_is_one_that_openssh_reads(opened: Opened, inputs: dict[str, Any], tmp_path: Path) -> None:
    key = made(opened("tls", "tls:index/privateKey:PrivateKey"), inputs)
    file = tmp_path / "key"
    file.write_text(key["privateKeyOpenssh"])
    file.chmod(0o600)
    public = subprocess.run(["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True).stdout
    assert public.split()[:2] == key["publicKeyOpenssh"].split()[:2]
    for option, name in (("sha256", "Sha256"), ("md5", "Md5")):
        line = subprocess.run(
            ["ssh-keygen", "-l", "-E", option, "-f", file], capture_output=True, text=True, check=True
        )
        assert key[f"publicKeyFingerprint{name}"].removeprefix("MD5:") in line.stdout
    loaded = serialization.load_pem_private_key(key["privateKeyPem"].encode(), None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha1(loaded.public_key().public_bytes(*form)).hexdigest() == key["id"]  # noqa: S324


def test_an_authority_signs_a_request_and_openssl_verifies_the_chain(opened: Opened, tmp_path: Path) -> None:
    keys = [made(opened("tls", "tls:index/privateKey:PrivateKey"), {"algorithm": "ED25519"}) for _ in range(2)]
    authority = made(
        opened("tls", "tls:index/selfSignedCert:SelfSignedCert"),
        {
            "privateKeyPem": keys[0]["privateKeyPem"],
            "allowedUses": ["cert_signing", "crl_signing"],
            "isCaCertificate": True,
            "setSubjectKeyId": True,
            "validityPeriodHours": 48,
            "subject": {"commonName": "authority"},
        },
    )
    request = made(
        opened("tls", "tls:index/certRequest:CertRequest"),
        {
            "privateKeyPem": keys[1]["privateKeyPem"],
            "subject": {"commonName": "client", "organization": "o"},
            "dnsNames": ["client.example"],
            "ipAddresses": ["192.0.2.1"],
        },
    )
    leaf = made(
        opened("tls", "tls:index/locallySignedCert:LocallySignedCert"),
        {
            "certRequestPem": request["certRequestPem"],
            "caCertPem": authority["certPem"],
            "caPrivateKeyPem": keys[0]["privateKeyPem"],
            "allowedUses": ["digital_signature", "client_auth"],
            "validityPeriodHours": 24,
        },
    )
    (tmp_path / "ca.pem").write_text(authority["certPem"])
    (tmp_path / "leaf.pem").write_text(leaf["certPem"])
    verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", tmp_path / "ca.pem"]
    subprocess.run([*verify, tmp_path / "leaf.pem"], check=True, capture_output=True)
    certificate = x509.load_pem_x509_certificate(leaf["certPem"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["client.example"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == datetime.timedelta(hours=24)
    assert str(certificate.serial_number) == leaf["id"]


def invoked(driver: Any, token: str, **args: Any) -> dict[str, Any]:
    answer = driver.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire.encode(args)))
    return wire.decode(getattr(answer, "return"))


def test_a_policy_document_is_written_as_the_real_data_source_does(opened: Opened) -> None:
    driver = opened("aws", settings={"region": "eu-west-3"})
    answer = invoked(
        driver,
        "aws:iam/getPolicyDocument:getPolicyDocument",
        statements=[
            {
                "sid": "Write",
                "actions": ["s3:PutObject"],
                "resources": ["arn:aws:s3:::b/*", "arn:aws:s3:::a/*"],
                "conditions": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
            },
            {
                "effect": "Deny",
                "actions": ["s3:*"],
                "resources": ["*"],
                "principals": [{"type": "*", "identifiers": ["*"]}],
            },
        ],
    )
    assert json.loads(answer["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Write",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::a/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            },
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"},
        ],
    }
    assert json.loads(answer["minifiedJson"]) == json.loads(answer["json"])
    assert invoked(driver, "aws:index/getRegion:getRegion")["region"] == "eu-west-3"


def test_statements_of_the_same_sid_replace_one_another(opened: Opened) -> None:
    one, two = (json.dumps({"Statement": [{"Sid": "a", "Effect": effect}]}) for effect in ("Allow", "Deny"))
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    answer = invoked(opened("aws"), token, sourcePolicyDocuments=[one], overridePolicyDocuments=[two])
    assert json.loads(answer["json"])["Statement"] == [{"Sid": "a", "Effect": "Deny"}]


@pytest.mark.parametrize(
    ("token", "args", "says"),
    [
        ("cloudflare:index/getZone:getZone", {"zoneld": "x"}, "Did you mean zoneId?"),
        ("cloudflare:index/getZone:getZone", {"zoneId": "9"}, "This rehearsal has no zone '9'"),
        ("cloudflare:index/getAccount:getAccount", {}, "is not emulated in a rehearsal"),
        ("cloudflare:index/getNothing:getNothing", {}, "is unknown"),
    ],
)
def test_a_data_source_that_cannot_be_answered_gets_a_sentence(
    opened: Opened, token: str, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(Exception, match="is") as refused:
        invoked(opened("cloudflare"), token, **args)
    assert says in refused.value.details()  # type: ignore[attr-defined]


def test_a_zone_is_found_by_its_id_and_by_its_name(opened: Opened) -> None:
    driver, token = opened("cloudflare"), "cloudflare:index/getZone:getZone"
    for args in ({"zoneId": "0" * 32}, {"filter": {"name": "neurmatic.example"}}):
        zone = invoked(driver, token, **args)
        assert (zone["zoneId"], zone["name"]) == ("0" * 32, "neurmatic.example")
    assert len(invoked(driver, "cloudflare:index/getIpRanges:getIpRanges")["ipv4Cidrs"]) == 15


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(opened: Opened, tmp_path: Path) -> None:
    driver = opened("command", "command:local:Command")
    driver.play({"do": "check", "with": {"create": f"echo begun; sleep 60 & echo $! > {tmp_path}/pid; wait"}})
    request = provider_pb2.CreateRequest(urn=driver.urn, properties=wire.encode(driver.news), timeout=1)
    begun = time.monotonic()
    with pytest.raises(Exception, match="signal: killed: running") as failed:
        driver.stub.Create(request)
    assert "begun" in failed.value.details()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 20
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_what_was_checked_before_is_left_as_it_is() -> None:
    """The old inputs of a property that the program ignores come back with their note of the defaults."""
    objects = {"ContainerPortArgs": dict.fromkeys(("internal", "ip", "protocol"), ("str", False))}
    once = nested_defaults([{"internal": "80", "ip": "::"}], ("list", ("obj", "ContainerPortArgs")), objects)
    assert once == [{"internal": "80", "ip": "::", "protocol": "tcp", "__defaults": ["protocol"]}]
    assert nested_defaults(once, ("list", ("obj", "ContainerPortArgs")), objects) == once
