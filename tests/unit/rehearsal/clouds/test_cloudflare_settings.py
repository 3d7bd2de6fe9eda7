"""What a zone has one of, what belongs to its account, and certificates that really are some."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cloud_clients import Cloudflare, new_zone
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.clouds.clock import Clock
from rehearsal.clouds.cloudflare.errors import ERRORS, RefusalError
from rehearsal.clouds.cloudflare.store import Store, World
from rehearsal.clouds.servers import Clouds, Zone

PEM = serialization.Encoding.PEM


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ssl", "strict"),
        ("min_tls_version", "1.2"),
        ("always_use_https", "on"),
        ("browser_cache_ttl", 0),
        ("security_header", {"strict_transport_security": {"enabled": True, "max_age": 31536000, "preload": False,
                                                           "include_subdomains": True, "nosniff": False}}),
    ],
)  # fmt: skip
def test_a_setting_is_kept(cloudflare: Cloudflare, zone: Zone, name: str, value: Any) -> None:
    path = f"zones/{zone.id}/settings/{name}"
    assert cloudflare("GET", path).result["value"] != value
    assert cloudflare("PATCH", path, {"value": value}).result["value"] == value
    found = cloudflare("GET", path).result
    assert (found["id"], found["value"], found["editable"]) == (name, value, True)


@pytest.mark.parametrize(
    ("plan", "name", "value", "code"),
    [
        ("pro", "no_such_setting", "on", 1006),
        ("pro", "ssl", "very", 1007),
        ("pro", "min_tls_version", 1.2, 1007),
        ("pro", "always_use_https", True, 1007),
        ("pro", "browser_cache_ttl", -1, 1007),
        ("pro", "browser_cache_ttl", True, 1007),
        ("pro", "security_header", {"strict_transport_security": {"max_age": "long"}}, 1007),
        ("pro", "ssl", None, 1007),
        ("free", "polish", "lossy", 1010),
    ],
)
def test_settings_that_cannot_be(
    clouds: Clouds, cloudflare: Cloudflare, plan: str, name: str, value: Any, code: int
) -> None:
    zone = new_zone(clouds, plan)
    body = {} if value is None else {"value": value}
    assert cloudflare("PATCH", f"zones/{zone.id}/settings/{name}", body).error[:2] == (400, code)


def test_with_0rtt_tls_1_3_is_zrt_whatever_was_written(cloudflare: Cloudflare, zone: Zone) -> None:
    path = f"zones/{zone.id}/settings"
    cloudflare("PATCH", f"{path}/0rtt", {"value": "on"})
    assert cloudflare("PATCH", f"{path}/tls_1_3", {"value": "on"}).result["value"] == "zrt"
    cloudflare("PATCH", f"{path}/0rtt", {"value": "off"})
    assert cloudflare("GET", f"{path}/tls_1_3").result["value"] == "on"


def test_dnssec_waits_for_the_registrar(cloudflare: Cloudflare, zone: Zone) -> None:
    path = f"zones/{zone.id}/dnssec"
    assert cloudflare("GET", path).result["status"] == "disabled"
    made = cloudflare("PATCH", path, {"status": "active"}).result
    assert made["status"] == "pending"
    assert made["ds"] == f"{zone.name}. 3600 IN DS {made['key_tag']} 13 2 {made['digest']}"
    assert cloudflare("GET", path).result == made
    assert cloudflare("DELETE", path).result == ""
    assert cloudflare("GET", path).result["status"] == "disabled"


@pytest.mark.parametrize(
    ("plan", "given", "status"),
    [
        ("free", {"fight_mode": True, "ai_bots_protection": "block"}, 200),
        ("free", {"sbfm_definitely_automated": "block"}, 403),
        ("pro", {"sbfm_definitely_automated": "block", "sbfm_verified_bots": "allow", "enable_js": True}, 200),
        ("pro", {"fight_mode": True}, 403),
        ("pro", {"sbfm_likely_automated": "block"}, 403),
        ("business", {"sbfm_likely_automated": "managed_challenge"}, 200),
        ("pro", {"sbfm_verified_bots": "managed_challenge"}, 400),
        ("pro", {"enable_js": "yes"}, 400),
        ("pro", {"fight": True}, 400),
    ],
)
def test_bots_are_treated_as_the_plan_allows(
    clouds: Clouds, cloudflare: Cloudflare, plan: str, given: dict[str, Any], status: int
) -> None:
    zone = new_zone(clouds, plan)
    answer = cloudflare("PUT", f"zones/{zone.id}/bot_management", given)
    assert answer.status == status
    if status == 200:
        found = cloudflare("GET", f"zones/{zone.id}/bot_management").result
        assert {key: found[key] for key in given} == given


@pytest.mark.parametrize(
    ("path", "method", "value", "wrong"),
    [
        ("url_normalization", "PUT", {"type": "rfc3986", "scope": "both"}, {"scope": "all"}),
        ("argo/tiered_caching", "PATCH", {"value": "on"}, {"value": "yes"}),
        ("cache/tiered_cache_smart_topology_enable", "PATCH", {"value": "on"}, {"value": True}),
        ("origin_tls_client_auth/settings", "PUT", {"enabled": True}, {"enabled": "yes"}),
    ],
)
def test_small_things_of_a_zone(
    cloudflare: Cloudflare, zone: Zone, path: str, method: str, value: dict[str, Any], wrong: dict[str, Any]
) -> None:
    place = f"zones/{zone.id}/{path}"
    before = cloudflare("GET", place).result
    assert any(before[key] != wanted for key, wanted in value.items())
    assert cloudflare(method, place, value).status == 200
    found = cloudflare("GET", place).result
    assert {key: found[key] for key in value} == value
    assert cloudflare(method, place, wrong).status == 400
    assert cloudflare("GET", place).result == found
    assert cloudflare("DELETE", place).status == 200
    assert {key: cloudflare("GET", place).result[key] for key in value} == {key: before[key] for key in value}


def request_of(name: str) -> tuple[ec.EllipticCurvePrivateKey, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return key, csr.public_bytes(PEM).decode()


def test_an_origin_certificate_is_really_signed(cloudflare: Cloudflare, zone: Zone) -> None:
    key, csr = request_of(zone.name)
    names = [f"*.{zone.name}", zone.name]
    wanted = {"csr": csr, "hostnames": names, "request_type": "origin-ecc", "requested_validity": 90}
    made = cloudflare("POST", "certificates", wanted).result
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert certificate.public_key() == key.public_key()
    sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sans.get_values_for_type(x509.DNSName) == sorted(names)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 90
    assert cloudflare("GET", f"certificates/{made['id']}").result == made
    second = x509.load_pem_x509_certificate(cloudflare("POST", "certificates", wanted).result["certificate"].encode())
    assert (second.issuer, second.serial_number != certificate.serial_number) == (certificate.issuer, True)
    assert cloudflare("DELETE", f"certificates/{made['id']}").result["id"] == made["id"]
    assert cloudflare("GET", f"certificates/{made['id']}").status == 404


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"csr": "none"}, "csr-invalid"),
        ({"requested_validity": 100}, "validity-invalid"),
        ({"request_type": "rsa"}, "certificate-invalid"),
        ({"hostnames": []}, "certificate-invalid"),
        ({"hostnames": ["www.example.org"]}, "hostname-foreign"),
    ],
)
def test_origin_certificates_that_are_refused(
    cloudflare: Cloudflare, zone: Zone, change: dict[str, Any], name: str
) -> None:
    wanted = {"csr": request_of(zone.name)[1], "hostnames": [zone.name], "request_type": "origin-ecc", **change}
    assert cloudflare("POST", "certificates", wanted).error[:2] == (ERRORS[name].status, ERRORS[name].code)


def test_the_certificate_that_the_edge_shows_belongs_to_its_key(cloudflare: Cloudflare, zone: Zone) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cloudflare")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    path = f"zones/{zone.id}/origin_tls_client_auth"
    pair = {"certificate": certificate.public_bytes(PEM).decode(), "private_key": private}
    made = cloudflare("POST", path, pair).result
    assert (made["status"], "private_key" in made) == ("active", False)
    assert cloudflare("GET", f"{path}/{made['id']}").result == made
    other = ec.generate_private_key(ec.SECP256R1())
    wrong = other.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    assert cloudflare("POST", path, {**pair, "private_key": wrong}).status == 400
    assert cloudflare("DELETE", f"{path}/{made['id']}").result["id"] == made["id"]
    assert cloudflare("GET", path).result == []


def test_health_checks_and_the_alarms_that_hang_on_them(clouds: Clouds, cloudflare: Cloudflare, zone: Zone) -> None:
    path, policies = f"zones/{zone.id}/healthchecks", f"accounts/{zone.account_id}/alerting/v3/policies"
    check = {"name": "api", "address": f"api.{zone.name}", "type": "HTTPS", "http_config": {"path": "/health"}}
    made = cloudflare("POST", path, check).result
    assert (made["interval"], made["http_config"]["path"], made["http_config"]["method"]) == (60, "/health", "GET")
    changed = cloudflare("PUT", f"{path}/{made['id']}", {**check, "interval": 120}).result
    assert (changed["id"], changed["interval"]) == (made["id"], 120)
    alarm = {
        "name": "down",
        "alert_type": "health_check_status_notification",
        "enabled": True,
        "mechanisms": {"email": [{"id": "ops@example.org"}]},
        "filters": {"health_check_id": [made["id"]]},
    }
    policy = cloudflare("POST", policies, alarm).result
    assert cloudflare("GET", f"{policies}/{policy['id']}").result["filters"] == alarm["filters"]
    unknown = {**alarm, "filters": {"health_check_id": ["0" * 32]}}
    assert cloudflare("POST", policies, unknown).status == 400
    assert cloudflare("POST", policies, {**alarm, "mechanisms": {}}).status == 400
    assert cloudflare("DELETE", f"{policies}/{policy['id']}").status == 200
    assert cloudflare("DELETE", f"{path}/{made['id']}").status == 200
    assert cloudflare("GET", f"{path}/{made['id']}").status == 404
    free = new_zone(clouds, "free")
    assert cloudflare("POST", f"zones/{free.id}/healthchecks", check).error[1] == ERRORS["healthcheck-quota"].code
    assert cloudflare("POST", path, {**check, "interval": 1}).status == 400


def test_lists_are_named_once_and_hold_addresses(cloudflare: Cloudflare, zone: Zone) -> None:
    path = f"accounts/{zone.account_id}/rules/lists"
    made = cloudflare("POST", path, {"name": "office", "kind": "ip", "description": "d"}).result
    assert cloudflare("POST", path, {"name": "office", "kind": "asn"}).error[1] == ERRORS["list-exists"].code
    assert cloudflare("POST", path, {"name": "Not A Name", "kind": "ip"}).status == 400
    items = f"{path}/{made['id']}/items"
    done = cloudflare("POST", items, [{"ip": "192.0.2.1"}, {"ip": "203.0.113.0/24", "comment": "hq"}]).result
    assert cloudflare("GET", f"{path}/bulk_operations/{done['operation_id']}").result["status"] == "completed"
    assert cloudflare("POST", items, [{"ip": "office"}]).error[1] == ERRORS["list-item"].code
    assert [item["ip"] for item in cloudflare("GET", items).result] == ["192.0.2.1", "203.0.113.0/24"]
    assert cloudflare("GET", f"{path}/{made['id']}").result["num_items"] == 2
    cloudflare("PUT", items, [{"ip": "198.51.100.1"}])
    first = cloudflare("GET", items).result[0]
    cloudflare("DELETE", items, {"items": [{"id": first["id"]}]})
    assert cloudflare("GET", items).result == []
    assert cloudflare("PUT", f"{path}/{made['id']}", {"description": "new"}).result["description"] == "new"
    assert cloudflare("DELETE", f"{path}/{made['id']}").result == {"id": made["id"]}
    assert cloudflare("GET", f"{path}/{made['id']}").status == 404


def test_a_call_that_fails_halfway_has_changed_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, Clock())

    def half(world: World) -> None:
        world.zones["x"] = {"name": "half made"}
        raise RefusalError("unknown-zone")

    with pytest.raises(RefusalError):
        store.changing(half)
    assert store.reading(lambda world: dict(world.zones)) == {}
    assert not (tmp_path / "cloudflare.json").exists()
