"""When certbot is asked, what of its words an operator gets, and the hook's calls of Cloudflare's API."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.certificates.onhost import authority, main, reading
from components.certificates.onhost.reading import Pair, UnfitError

NAMES = ("neurmatic.com", "www.neurmatic.com", "api.neurmatic.com")
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
DAY = datetime.timedelta(days=1)


def pair(ends: int = 60, *, begins: int = -30, names: tuple[str, ...] = NAMES) -> Pair:
    """Days from now."""
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.datetime.now(datetime.timezone.utc)
    chain = ""
    for subject, public in (("leaf", key.public_key()), ("root", root.public_key())):
        builder = x509.CertificateBuilder(named("root"), named(subject), public, x509.random_serial_number())
        builder = builder.not_valid_before(now + begins * DAY).not_valid_after(now + ends * DAY)
        alternative = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        basic = x509.BasicConstraints(ca=subject == "root", path_length=None)
        builder = builder.add_extension(alternative, critical=False).add_extension(basic, critical=True)
        chain += builder.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(chain, key.private_bytes(*form).decode())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    notes = tmp_path / "renewal" / "neurmatic.com.conf"
    notes.parent.mkdir()
    notes.write_text(f"version = 2.1.0\n[renewalparams]\nauthenticator = webroot\nserver = {DIRECTORY}\n")
    return {
        "names": list(NAMES),
        "issuer": "lets_encrypt_http01",
        "directory": DIRECTORY,
        "email": "admin@neurmatic.com",
        "renew_before": 30 * 86400,
        "certbot": str(tmp_path),
        "nginx": str(tmp_path / "nginx"),
        "script": "/opt/certificate",
        "state": str(tmp_path / "state.json"),
        "notify": str(tmp_path / "notify"),
    }


def test_what_is_in_order_is_left_alone(wanted: dict[str, Any]) -> None:
    assert authority.due(pair(), wanted) == ""


@pytest.mark.parametrize(
    ("change", "found", "reason"),
    [
        ({}, None, "there is none yet"),
        ({}, (29, -61), "it ends in 28 days"),
        ({}, (-1, -91), "it has ended"),
        ({"names": [*NAMES, "shop.neurmatic.com"]}, (60, -30), "it is not for shop.neurmatic.com"),
        ({"names": ["neurmatic.com"]}, (60, -30), "it is for api.neurmatic.com, www.neurmatic.com as well"),
        ({"directory": "https://other.example/dir"}, (60, -30), "it comes from another authority"),
        ({"issuer": "lets_encrypt_dns01"}, (60, -30), "the names are proven in another way"),
        ({"renew_before": 61 * 86400}, (60, -30), "it ends in 59 days"),
    ],
)
def test_certbot_is_asked_when(
    wanted: dict[str, Any], change: dict[str, Any], found: tuple[int, int] | None, reason: str
) -> None:
    known = pair(found[0], begins=found[1]) if found else None
    assert authority.due(known, {**wanted, **change}).startswith(reason)


def test_a_short_lived_one_is_not_due_from_its_first_day(wanted: dict[str, Any]) -> None:
    assert authority.due(pair(5, begins=-1), wanted) == ""
    assert authority.due(pair(3, begins=-3), wanted) == "it ends in 2 days"


def test_a_pair_is_read_out_of_one_text_whatever_stands_around_it() -> None:
    given = pair()
    assert reading.split(f"{given.chain}\n{given.key}") == given
    with pytest.raises(UnfitError, match="0 certificates and 1 keys"):
        reading.split(given.key)


def test_each_way_of_proving_says_all_names_and_the_authority(wanted: dict[str, Any]) -> None:
    webroot = authority.command(wanted)
    assert [webroot[at + 1] for at, word in enumerate(webroot) if word == "--domain"] == list(NAMES)
    assert webroot[webroot.index("--webroot-path") + 1] == f"{wanted['nginx']}/acme"
    assert webroot[webroot.index("--server") + 1] == DIRECTORY
    dns = authority.command({**wanted, "issuer": "lets_encrypt_dns01"})
    assert dns[dns.index("--manual-auth-hook") + 1] == "/opt/certificate dns-add"


UNAUTHORIZED = """
Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: api.neurmatic.com
  Type:   unauthorized
  Detail: 192.0.2.10: Invalid response from http://api.neurmatic.com/.well-known/acme-challenge/x: 404

  Domain: neurmatic.com
  Type:   dns
  Detail: DNS problem: NXDOMAIN looking up A for neurmatic.com

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org.
"""
LIMITED = """
Saving debug log to /var/log/letsencrypt/letsencrypt.log
Requesting a certificate for neurmatic.com and 2 more domains
An unexpected error occurred:
Error creating new order :: too many certificates (5) already issued for this exact set of identifiers
Ask for help or search for solutions at https://community.letsencrypt.org.
"""
AWAY = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=1): Max retries exceeded with url: /dir"
REFUSED = "An unexpected error occurred:\nValueError: Requesting acme.example/dir: Connection refused\nAsk for help"
HOOK = """
Hook '--manual-auth-hook' for neurmatic.com reported error code 1
Hook '--manual-auth-hook' for neurmatic.com ran with error output:
 Cloudflare refuses to change _acme-challenge.neurmatic.com with 403: Authentication error (10000)
  Domain: neurmatic.com
  Type:   unauthorized
  Detail: No TXT record found
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (UNAUTHORIZED, "api.neurmatic.com: 192.0.2.10: Invalid response from"),
        (UNAUTHORIZED, "; neurmatic.com: DNS problem: NXDOMAIN looking up A for neurmatic.com."),
        (LIMITED, ": Error creating new order :: too many certificates (5) already issued for this exact"),
        (AWAY, "it cannot be reached from this server."),
        (REFUSED, "it cannot be reached from this server."),
        (HOOK, ": Cloudflare refuses to change _acme-challenge.neurmatic.com with 403: Authentication error (10000)."),
        ("", "certbot does not say why."),
    ],
    ids=["unauthorized", "no-address", "limited", "away", "refused", "hook", "silent"],
)
def test_one_sentence_of_certbots_words(wanted: dict[str, Any], said: str, expected: str) -> None:
    sentence = authority.sentence(said, wanted)
    assert sentence.startswith(f"{DIRECTORY} has given no certificate for neurmatic.com, www.neurmatic.com, api.")
    assert expected in sentence
    assert "\n" not in sentence


def test_failures_wait_longer_each_time_and_never_more_than_half_a_day(
    wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Path(wanted["nginx"]) / "tls" / "fullchain.pem"
    served.parent.mkdir(parents=True)
    served.write_text(pair().chain)
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    waits = []
    for _ in range(9):
        text = main._again(wanted, "No.")
        waits.append(int(json.loads(Path(wanted["state"]).read_text())["next"] - 1_000_000))
        assert not main._may_try(wanted)
    assert waits == [600, 1200, 2400, 4800, 9600, 19200, 38400, 43200, 43200]
    assert text.startswith("No. nginx serves on with the certificate before, until")
    assert text.endswith("The next try is in 720 minutes at the earliest (neurmatic-certificate.timer).")
