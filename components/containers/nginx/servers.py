"""Who is answered how: the names of the site, and everybody who asks for another one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from components.containers.nginx import answers, limits
from components.containers.nginx.origin import Origin
from components.containers.nginx.text import Lines, block, page, statements
from components.site import NeurmaticSite

RETRIED = "error timeout"
"""A request that was never sent goes to the next backend; a change that may have arrived is not sent twice."""
BUSY = '\'{"error":"Too many requests"}\''
DOWN = '\'{"error":"Temporarily unavailable"}\''


def servers(origin: Origin) -> str:
    return page(_strangers(), _plain(origin), _www(origin), _apex(origin), _api(origin))


def _strangers() -> Lines:
    """Whoever asks for no name of ours gets no answer, and learns no name from the certificate."""
    return [
        *block("server", *_listen(80, "default_server"), "server_name _", "return 444"),
        *block("server", *_listen(443, "ssl default_server"), "server_name _", "ssl_reject_handshake on"),
    ]


def _plain(origin: Origin) -> Lines:
    site = origin.site
    challenge = block(f"location ^~ {site.acme_path}", f"root {origin.webroot}", "default_type text/plain")
    return block(
        "server",
        *_listen(80),
        f"server_name {' '.join(site.names)}",
        answers.plain_headers(site),
        challenge,
        block("location /", "return 301 https://$host$request_uri"),
    )


def _www(origin: Origin) -> Lines:
    site = origin.site
    return block(
        "server",
        *_tls_listen(origin),
        f"server_name {site.www}",
        answers.headers(site),
        block("location /", f"return 301 https://{site.apex}$request_uri"),
    )


def _apex(origin: Origin) -> Lines:
    site = origin.site
    return block(
        "server",
        *_tls_listen(origin),
        f"server_name {site.apex}",
        answers.headers(site),
        answers.page_headers(),
        block("location /", "proxy_pass http://frontend", _kept("page_files", site.caching.assets, "$no_asset")),
    )


def _api(origin: Origin) -> Lines:
    site = origin.site
    return block(
        "server",
        *_tls_listen(origin),
        f"server_name {site.api}",
        answers.api_headers(site),
        # All of them here: a location with one of its own would lose the others.
        "error_page 418 = @repeatable",
        "error_page 429 @busy",
        "error_page 502 503 504 =503 @down",
        # Before any limit counts: a browser asks first, and that must not use up what the visitor may do.
        block("if ($preflight)", "return 204"),
        _sockets(origin),
        _admin(origin),
        _attempts(origin),
        _everything_else(site),
        block("location @busy", "default_type application/json", f"return 429 {BUSY}"),
        block("location @down", "default_type application/json", f"return 503 {DOWN}"),
    )


def _everything_else(site: NeurmaticSite) -> Lines:
    """A change with an Idempotency-Key may be sent twice: when a backend dies over it, another one gets it."""
    answer = (limits.api_limits(site), "proxy_pass http://backend")
    again = block("if ($http_idempotency_key)", "return 418")
    return [
        # Or what goes wrong after the jump would not find its own error page.
        *block(
            "location /", "recursive_error_pages on", again, *answer, _kept("api_answers", site.caching.api, "$private")
        ),
        *block("location @repeatable", *answer, f"proxy_next_upstream {RETRIED} non_idempotent"),
    ]


def _sockets(origin: Origin) -> Lines:
    site = origin.site
    return block(
        f"location ^~ {site.websocket_path}",
        limits.socket_limits(site),
        "proxy_pass http://sockets",
        f"proxy_read_timeout {site.websocket_timeout}s",
        f"proxy_send_timeout {site.websocket_timeout}s",
    )


def _admin(origin: Origin) -> Lines:
    admin = origin.site.admin
    if not admin.paths:
        return []
    allowed = statements(*(f"allow {address}" for address in admin.addresses), "deny all")
    return block(
        f'location ~* "^({_either(admin.paths)})(/|$)"',
        allowed,
        limits.api_limits(origin.site),
        "proxy_pass http://backend",
    )


def _attempts(origin: Origin) -> Lines:
    site, found = origin.site, []
    for zone, rate, paths in (
        ("login", site.limits.login, site.limits.login_paths),
        ("registration", site.limits.registration, site.limits.registration_paths),
    ):
        if paths:
            head = f'location ~* "^({_either(paths)})(/|$)"'
            found += block(head, limits.attempt_limits(site, zone, rate), "proxy_pass http://backend")
    return found


def _kept(zone: str, seconds: int, private: str) -> Lines:
    """One request at a time fills the cache; meanwhile the others get what was there."""
    return statements(
        f"proxy_cache {zone}",
        f"proxy_cache_valid 200 {seconds}s",
        f"proxy_cache_bypass {private}",
        f"proxy_no_cache {private} $upstream_http_set_cookie",
        "proxy_cache_lock on",
        "proxy_cache_lock_timeout 2s",
        "proxy_cache_use_stale updating",
    )


def _listen(port: int, options: str = "") -> Lines:
    words = f" {options}" if options else ""
    return statements(f"listen {port}{words}", f"listen [::]:{port}{words}")


def _tls_listen(origin: Origin) -> Lines:
    """`http2 on` is a statement of its own from nginx 1.25.1 on."""
    if origin.at_least(1, 25, 1):
        return [*_listen(443, "ssl"), "http2 on;"]
    return _listen(443, "ssl http2")


def _either(paths: Sequence[str]) -> str:
    """Paths as one expression. The application takes /Admin for /admin, so the limits have to as well."""
    return "|".join(re.escape(path.rstrip("/")) for path in paths)
