"""The load balancer's configuration, as text. What nginx makes of it is tried in tests/rehearsal/containers."""

from __future__ import annotations

import re

import pytest

from components.containers.config import NginxSettings
from components.containers.nginx.limits import rates_are_whole, written
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.upstreams import upstreams
from components.site import AdminAccess, NeurmaticSite
from components.values import Rate

SITE = NeurmaticSite(apex="neurmatic.com", www="www.neurmatic.com", api="api.neurmatic.com")
SERVING = Serving(["backend-1", "backend-2"], ["frontend"])


def origin(site: NeurmaticSite = SITE, client_ca: str | None = "/tls/ca.pem", **settings: object) -> Origin:
    nginx = NginxSettings.model_validate(settings)
    return Origin(site, nginx, ["173.245.48.0/20"], client_ca, 30)


def files(**settings: object) -> dict[str, str]:
    return configuration(origin(**settings), SERVING)  # type: ignore[arg-type]


def test_the_figures_of_the_specification() -> None:
    text = "\n".join(files().values())
    for line in (
        "least_conn;",
        "server backend-1:3000 max_fails=3 fail_timeout=30s;",
        "keepalive 64;",
        "zone=api:16m rate=10r/s;",
        "zone=login:16m rate=5r/m;",
        "zone=registration:16m rate=3r/m;",
        "limit_conn api_connections 10;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:tls:50m;",
        "ssl_session_timeout 86400s;",
        "gzip_comp_level 6;",
        "worker_connections 4096;",
        "access_log /dev/stdout access buffer=32k flush=5s;",
        "proxy_read_timeout 604800s;",
        "proxy_cache_valid 200 300s;",
        "proxy_cache_valid 200 86400s;",
        "hash $remote_addr consistent;",
    ):
        assert line in text, line


@pytest.mark.parametrize(
    ("version", "there", "missing"),
    [
        ("1.22.1", "listen 443 ssl http2;", "http2 on;"),
        ("1.25.1", "http2 on;", "keepalive_min_timeout"),
        ("1.27.4", "keepalive_min_timeout 30s;", "listen 443 ssl http2;"),
    ],
)
def test_only_what_the_image_knows_is_written(version: str, there: str, missing: str) -> None:
    text = "\n".join(files(at_least=version).values())
    assert there in text
    assert missing not in text


def test_no_location_sets_a_header_of_its_own() -> None:
    """nginx would drop all inherited ones there, in silence."""
    inside = [body for text in files().values() for body in re.findall(r"location [^{]*\{([^}]*)\}", text)]
    assert inside
    assert not [body for body in inside if "add_header" in body or "proxy_set_header" in body]


def test_hsts_is_said_over_tls_and_never_without() -> None:
    servers = re.findall(r"^server \{.*?^\}", files()["sites.conf"], re.MULTILINE | re.DOTALL)
    named = [server for server in servers if "server_name _" not in server]
    assert len(named) == 4
    for server in named:
        assert ("add_header Strict-Transport-Security" in server) == ("443 ssl" in server)


def test_without_a_release_the_upstreams_lead_nowhere_and_are_still_valid() -> None:
    text = upstreams(origin(), Serving([], []))
    assert text.count("server 127.0.0.1:1 down;") == 3


def test_spares_stand_behind_the_backends_but_not_behind_the_hash() -> None:
    text = upstreams(origin(), Serving(["new"], ["page"], spare_backends=["old"], spare_frontends=["old-page"]))
    backend, sockets, frontend = re.findall(r"^upstream .*?^\}", text, re.MULTILINE | re.DOTALL)
    assert "server old:3000 backup;" in backend
    assert "backup" not in sockets
    assert "server old-page:80 backup;" in frontend


def test_without_authenticated_pulls_no_client_certificate_is_asked_for() -> None:
    assert "ssl_verify_client on;" in files()["nginx.conf"]
    assert "ssl_verify_client" not in files(client_ca=None)["nginx.conf"]


def test_admin_paths_answer_to_the_addresses_of_the_settings_and_to_nobody_else() -> None:
    admin = AdminAccess(addresses=("198.51.100.7/32",))
    site = SITE.model_copy(update={"admin": admin})
    text = configuration(origin(site), SERVING)["sites.conf"]
    block = text[text.index("/api/v1/metrics") :]
    assert block.index("allow 198.51.100.7/32;") < block.index("deny all;") < block.index("proxy_pass")


@pytest.mark.parametrize(("rate", "text"), [(Rate(10, 1), "10r/s"), (Rate(5, 60), "5r/m"), (Rate(300, 600), "30r/m")])
def test_rates_in_nginx_words(rate: Rate, text: str) -> None:
    assert written(rate) == text


def test_a_rate_that_nginx_would_round_is_a_mistake() -> None:
    site = SITE.model_copy(update={"limits": SITE.limits.model_copy(update={"login": Rate(5, 3600)})})
    [mistake] = rates_are_whole(site)
    assert mistake.path == ("site", "limits", "login")
    assert "1/min" in mistake.text
    assert not list(rates_are_whole(SITE))
