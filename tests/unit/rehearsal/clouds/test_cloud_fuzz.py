"""Whatever is sent is answered: with a result or a refusal, never with a mistake of the server."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from cloud_clients import Cloudflare as Client
from cloud_clients import client, new_bucket
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rehearsal.clouds.clock import Clock
from rehearsal.clouds.cloudflare.api import BASE, ROUTES, Cloudflare
from rehearsal.clouds.servers import Clouds
from rehearsal.clouds.wire import Request

TOKEN = "t" * 40
ZONE, ACCOUNT = "a" * 32, "b" * 32
# Words of the API, so that guesses get past the first check.
WORDS = """
    name type content A CNAME TXT MX CAA data flags tag value ttl proxied priority kind zone phase rules block ref
    http_request_firewall_custom http_ratelimit expression action ratelimit period characteristics enabled true active
    ip.src status items ip address http_config interval timeout mechanisms email filters health_check_id hostnames csr
    request_type origin-rsa requested_validity certificate private_key scope both plan id description security_header
    strict_transport_security max_age
""".split()  # noqa: SIM905 - as a list it would fill a page
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 100_000), st.floats(allow_nan=False), TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=5)),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Cloudflare:
    """In this process, where a mistake is an exception."""
    cloudflare = Cloudflare(tmp_path_factory.mktemp("fuzzed"), TOKEN, Clock())
    cloudflare.zones.adopt(ZONE, "example.com", "pro", ACCOUNT)
    return cloudflare


def path_of(pattern: str) -> str:
    known = {"zone": ZONE, "account": ACCOUNT, "setting": "ssl", "phase": "http_ratelimit"}
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda match: known.get(match[1], "c" * 32), pattern)


def ask(api: Cloudflare, method: str, path: str, value: Any) -> int:
    headers = {"authorization": f"Bearer {TOKEN}"}
    return api.answer(Request(method, BASE + path, headers, json.dumps(value).encode())).status


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([route for route in ROUTES if route.writes]), VALUES)
def test_any_body_is_answered_by_every_call_of_cloudflare(api: Cloudflare, route: Any, value: Any) -> None:
    if route.action != "zones.delete":
        assert ask(api, route.method, path_of(route.pattern.pattern), value) < 500


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["dns_records", "rulesets", "healthchecks", "bot_management", "settings/security_header"]),
    st.dictionaries(st.sampled_from(WORDS), VALUES, min_size=1, max_size=6),
)
@example("dns_records", {"priority": []})
@example("dns_records", {"type": "CAA", "content": None, "data": {"flags": {}, "tag": [], "value": 0}})
@example("healthchecks", {"interval": "often"})
@example("healthchecks", {"http_config": ["GET"]})
@example("rulesets", {"rules": [{"expression": 1, "action": {}, "ratelimit": []}]})
@example("bot_management", {"enable_js": [True]})
def test_bodies_that_are_nearly_right_are_answered(api: Cloudflare, thing: str, value: dict[str, Any]) -> None:
    nearly: dict[str, dict[str, Any]] = {
        "dns_records": {"name": "www", "type": "A", "content": "192.0.2.1"},
        "rulesets": {"name": "n", "kind": "zone", "phase": "http_ratelimit", "rules": [{"expression": "true"}]},
        "healthchecks": {"name": "n", "address": "example.com"},
        "settings/security_header": {"value": {"strict_transport_security": {}}},
    }
    method = {"bot_management": "PUT", "settings/security_header": "PATCH"}.get(thing, "POST")
    status = ask(api, method, f"zones/{ZONE}/{thing}", {**nearly.get(thing, {}), **value})
    assert status < 500
    rules = [{"expression": "true", "action": "block", **value}]
    assert ask(api, "PUT", f"zones/{ZONE}/rulesets/phases/http_ratelimit/entrypoint", {"rules": rules}) < 500
    for listing in ("dns_records", "rulesets", "healthchecks", "bot_management", "settings"):
        assert ask(api, "GET", f"zones/{ZONE}/{listing}", None) == 200
    assert api.zones.exported(ZONE)["name"] == "example.com"


S3_BODIES = st.one_of(
    st.binary(max_size=30),
    st.text(alphabet="<>/abRule:Days0-9 \"'&;", max_size=60).map(str.encode),
    st.sampled_from([b"<a/>", b"<LifecycleConfiguration/>", b"<Delete/>", b"<Retention><Mode>X</Mode></Retention>",
                     b"<RestoreRequest><Days>x</Days></RestoreRequest>",
                     b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["?lifecycle", "?policy", "?delete", "?object-lock", "k?restore", "k?retention", "k?legal-hold"]),
    S3_BODIES,
)
def test_any_body_is_answered_by_the_checks_before_s3(clouds: Clouds, place: str, body: bytes) -> None:
    s3 = client(clouds, "s3")
    bucket = _bucket(clouds, s3)
    method = "POST" if place.endswith(("delete", "restore")) else "PUT"
    assert _signed(s3, clouds, method, f"/{bucket}/{place}", body) in range(200, 500)


_buckets: dict[str, str] = {}


def _bucket(clouds: Clouds, s3: Any) -> str:
    if clouds.aws not in _buckets:
        _buckets[clouds.aws] = new_bucket(s3, ObjectLockEnabledForBucket=True)
        s3.put_object(Bucket=_buckets[clouds.aws], Key="k", Body=b"", StorageClass="GLACIER")
    return _buckets[clouds.aws]


def _signed(s3: Any, clouds: Clouds, method: str, target: str, body: bytes) -> int:
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    request = AWSRequest(method, clouds.aws + target, data=body)
    S3SigV4Auth(Credentials(clouds.aws_key, clouds.aws_secret), "s3", "eu-west-1").add_auth(request)
    return int(URLLib3Session().send(request.prepare()).status_code)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%ff%fe?%zz HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 nonsense\r\n\r\n",
        b"GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n\xff=\xff",
    ],
    ids=range(9),
)
def test_nonsense_on_the_wire_leaves_the_servers_as_they_were(clouds: Clouds, nonsense: bytes) -> None:
    for base in (clouds.aws, clouds.cloudflare):
        host, port = base.removeprefix("http://").partition("/")[0].split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        assert b" 5" not in answer.split(b"\r\n")[0].replace(b"HTTP/1.1 501", b"")
    assert Client(clouds)("GET", "user").status == 200
    assert "Traceback" not in Path(clouds.folder, "server.log").read_text()
