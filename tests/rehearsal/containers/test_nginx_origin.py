"""What a visitor of the origin sees: the configuration that ships, on a real nginx, in front of real containers."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest
from nginx_stage import ADMIN, APEX, API, WWW, NginxStage
from urllib3 import BaseHTTPResponse

from components.containers.nginx.origin import Serving
from components.edge.headers import security_headers
from rehearsal.docker import DockerError

pytestmark = pytest.mark.rehearsal

# No test may use up what another one's visitor is allowed.
VISITORS: Iterator[str] = (f"203.0.113.{number}" for number in count(1))
PAGE = "https://neurmatic.com"


def test_it_runs_as_nobody_special(behind: NginxStage) -> None:
    assert behind.nginx.run("id", "-u") == "101"
    assert behind.nginx.run("nginx", "-t", "-c", "/etc/stack/nginx.conf") == ""


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (API, "/api/v1/users/me", 200),
        (API, "/no/such/path", 404),
        (API, "/admin/queues", 403),
        (API, "/" + "x" * 20_000, 414),
        (APEX, "/", 200),
        (APEX, "/assets/none.js", 404),
        (WWW, "/somewhere?else=1", 301),
    ],
    ids=["answer", "not-found", "admin", "too-long", "page", "no-asset", "www"],
)
def test_every_answer_carries_the_security_headers_once(behind: NginxStage, host: str, path: str, status: int) -> None:
    answer = behind.ask(path, host, visitor=next(VISITORS))
    assert answer.status == status
    for name, value in security_headers(behind.origin.site).items():
        assert answer.headers.getlist(name) == [value], name
    assert answer.headers.get("Server") == "nginx"


def until_refused(ask: Callable[[int], BaseHTTPResponse]) -> list[BaseHTTPResponse]:
    """80 at a time; once is enough but on a machine so busy that they come no faster than they are allowed to."""
    answers: list[BaseHTTPResponse] = []
    with ThreadPoolExecutor(8) as pool:
        while len(answers) < 800 and not any(answer.status == 429 for answer in answers):
            answers += pool.map(ask, range(len(answers), len(answers) + 80))
    return answers


def test_the_limit_bites_on_the_visitor_and_not_on_cloudflare(behind: NginxStage) -> None:
    greedy, modest = next(VISITORS), next(VISITORS)
    began = time.monotonic()
    answers = until_refused(lambda _: behind.ask("/api/v1/users/me", visitor=greedy))
    refused = [answer for answer in answers if answer.status == 429]
    # 1 at once and a burst of 20, and 10 more in each second that it took.
    assert 21 <= len(answers) - len(refused) <= 22 + 10 * (time.monotonic() - began)
    assert {answer.status for answer in answers} == {200, 429}
    assert behind.ask("/api/v1/users/me", visitor=modest).status == 200
    assert json.loads(refused[0].data) == {"error": "Too many requests"}
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].headers["Strict-Transport-Security"]


def test_a_visitor_who_names_his_own_address_is_still_himself(behind: NginxStage) -> None:
    """X-Forwarded-For is not believed, and what the backend gets of it is nginx's own word."""
    visitor = next(VISITORS)
    seen = json.loads(behind.ask("/api/v1/whoami", visitor=visitor, X_Forwarded_For="192.0.2.99").data)["headers"]
    assert (seen["X-Forwarded-For"], seen["X-Real-IP"], seen["X-Forwarded-Proto"]) == (visitor, visitor, "https")


@pytest.mark.parametrize(("path", "allowed"), [("/api/v1/auth/login", 5), ("/api/v1/auth/register", 3)])
def test_attempts_are_counted_by_themselves_however_they_are_spelt(behind: NginxStage, path: str, allowed: int) -> None:
    visitor = next(VISITORS)
    spelt = [path, path.upper(), path.replace("/auth/", "//auth/"), path + "/", path.replace("a", "%61")]
    got = Counter(behind.ask(spelt[n % 5], visitor=visitor, method="POST").status == 429 for n in range(allowed + 3))
    assert got == {False: allowed, True: 3}


def test_asking_whether_one_may_costs_nothing(behind: NginxStage) -> None:
    """A browser's preflight must not use up the visitor's own requests."""
    visitor = next(VISITORS)
    for _ in range(40):
        answer = behind.ask("/api/v1/users/me", visitor=visitor, method="OPTIONS", Origin=PAGE)
        assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert behind.ask("/api/v1/users/me", visitor=visitor).status == 200


@pytest.mark.parametrize("page", ["https://neurmatic.com.evil.example", "http://neurmatic.com", "null"])
def test_cors_answers_to_one_origin_exactly(behind: NginxStage, page: str) -> None:
    visitor = next(VISITORS)
    right = behind.ask("/api/v1/users/me", visitor=visitor, Origin=PAGE)
    assert right.headers.getlist("Access-Control-Allow-Origin") == [PAGE]
    assert right.headers["Access-Control-Allow-Credentials"] == "true"
    wrong = behind.ask("/api/v1/users/me", visitor=visitor, Origin=page)
    assert not [name for name in wrong.headers if name.lower().startswith("access-control")]
    assert "Origin" in wrong.headers["Vary"]


@pytest.mark.parametrize("path", ["/admin/queues", "/Admin/queues", "//admin", "/admin%2Fqueues", "/x/../admin"])
def test_admin_paths_answer_to_the_operator_alone(behind: NginxStage, path: str) -> None:
    assert behind.ask(path, visitor=next(VISITORS)).status == 403
    assert behind.ask(path, visitor=ADMIN).status != 403


def test_public_answers_are_kept_and_private_ones_are_not(behind: NginxStage) -> None:
    def served_by(path: str, **headers: str) -> set[str]:
        visitor = next(VISITORS)
        return {behind.ask(path, visitor=visitor, **headers).headers["X-Instance"] for _ in range(6)}

    assert len(served_by("/api/v1/items?bytes=10")) == 1
    assert len(served_by("/api/v1/items?bytes=10", Authorization="Bearer x")) == 2
    assert len(served_by("/api/v1/items?bytes=10", Cookie="a=b")) == 2
    assert len(served_by("/api/v1/health/live")) == 2


def test_the_edge_is_told_what_it_may_keep(behind: NginxStage) -> None:
    visitor = next(VISITORS)
    assert behind.ask("/api/v1/items?bytes=3", visitor=visitor).headers["Cache-Control"] == "public, max-age=300"
    [asset] = re.findall(r'/assets/[^"]+', behind.ask("/", APEX, visitor=visitor).data.decode())
    for path, kept in ((asset, "public, max-age=86400"), ("/", "no-cache"), ("/assets/none.js", "no-cache")):
        assert behind.ask(path, APEX, visitor=visitor).headers.getlist("Cache-Control") == [kept]


def test_one_visitor_keeps_one_backend_for_sockets(behind: NginxStage) -> None:
    def sockets(visitor: str) -> str:
        answer = behind.ask("/socket.io/?EIO=4&transport=polling", visitor=visitor)
        assert answer.status == 200
        return answer.headers["X-Instance"]

    visitors = [next(VISITORS) for _ in range(12)]
    homes = {visitor: {sockets(visitor) for _ in range(3)} for visitor in visitors}
    assert all(len(home) == 1 for home in homes.values())
    assert len({instance for home in homes.values() for instance in home}) == 2


def test_port_80_leads_to_https_but_lets_the_certificate_authority_in(behind: NginxStage) -> None:
    moved = behind.plain("/a?b=c", API)
    assert (moved.status, moved.headers["Location"]) == (301, f"https://{API}/a?b=c")
    assert "Strict-Transport-Security" not in moved.headers
    proof = behind.plain("/.well-known/acme-challenge/token", WWW)
    assert (proof.status, proof.data) == (200, b"proof")


def test_strangers_get_no_answer_and_see_no_certificate(behind: NginxStage) -> None:
    with pytest.raises(Exception, match=r"aborted|reset|closed"):
        behind.plain("/", "example.org")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", behind.nginx.published(443))) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="example.org")


def test_a_configuration_that_nginx_refuses_does_not_replace_the_one_in_force(behind: NginxStage) -> None:
    good = Serving(["backend-1", "backend-2"], ["frontend"])
    try:
        behind.put(Serving(["no-such-container"], ["frontend"]))
        with pytest.raises(DockerError, match="host not found in upstream"):
            behind.reload()
        assert behind.ask("/api/v1/users/me", visitor=next(VISITORS)).status == 200
    finally:
        behind.put(good)
    behind.reload()


def test_when_no_backend_is_left_the_answer_is_short_and_complete(behind: NginxStage) -> None:
    visitor = next(VISITORS)
    try:
        behind.put(Serving([], ["frontend"]))
        behind.reload()
        behind.nginx.wait_until(lambda: behind.answers(503, visitor=visitor), "the new one is in force", seconds=10)
        answer = behind.ask("/api/v1/users/me", visitor=next(VISITORS), Origin=PAGE)
        assert json.loads(answer.data) == {"error": "Temporarily unavailable"}
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Retry-After"] == "5"
        named = behind.ask("/api/v1/ledger", visitor=visitor, method="POST", Idempotency_Key="key")
        assert json.loads(named.data) == {"error": "Temporarily unavailable"}
    finally:
        behind.put(Serving(["backend-1", "backend-2"], ["frontend"]))
        behind.reload()
        behind.nginx.wait_until(lambda: behind.answers(200, visitor=visitor), "a backend is back")


def test_a_change_that_names_itself_is_limited_and_answered_like_any_other(behind: NginxStage) -> None:
    visitor = next(VISITORS)
    ask = partial(behind.ask, "/api/v1/ledger", visitor=visitor, method="POST")
    answers = until_refused(lambda number: ask(Idempotency_Key=f"key-{number}"))
    got = Counter(answer.status for answer in answers)
    assert set(got) == {201, 429}
    assert all(answer.headers["Strict-Transport-Security"] for answer in answers)
