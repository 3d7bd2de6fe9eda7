"""What every answer carries, by maps at one level.

nginx drops inherited headers where a location adds one of its own, so no location does: which headers an answer gets is
decided here, and an empty one is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.containers.nginx.text import Lines, quoted, statements, switch
from components.edge.headers import HSTS, security_headers
from components.edge.rules.caching import EXTENSIONS
from components.site import NeurmaticSite

CORS_HEADERS = ("Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age", "Expose-Headers")
HEALTH = "/api/v1/health"
AUTHENTICATION = "/api/v1/auth/"


def maps(site: NeurmaticSite) -> Lines:
    return [*_cors(site), *_caching(site), *_pages(site)]


def headers(site: NeurmaticSite) -> Lines:
    """On errors as well (`always`). What the application says itself would stand there twice, so it is hidden."""
    security = security_headers(site)
    hidden = [f"proxy_hide_header {name}" for name in (*security, "X-Powered-By")]
    return statements(*hidden, *(f"add_header {name} {quoted(value)} always" for name, value in security.items()))


def plain_headers(site: NeurmaticSite) -> Lines:
    """Without TLS, HSTS must not be said (RFC 6797, 7.2)."""
    return [line for line in headers(site) if HSTS not in line]


def api_headers(site: NeurmaticSite) -> Lines:
    hidden = [f"proxy_hide_header Access-Control-{name}" for name in CORS_HEADERS]
    added = {
        "Access-Control-Allow-Origin": "$cors_origin",
        "Access-Control-Allow-Credentials": "$cors_credentials",
        "Access-Control-Allow-Methods": "$cors_methods",
        "Access-Control-Allow-Headers": "$cors_headers",
        "Access-Control-Max-Age": "$cors_max_age",
        "Vary": "Origin",
        "Cache-Control": "$api_cache_control",
        "Retry-After": "$retry_after",
    }
    return [
        *headers(site),
        *statements(*hidden, *(f"add_header {name} {value} always" for name, value in added.items())),
    ]


def page_headers() -> Lines:
    return statements("proxy_hide_header Cache-Control", "add_header Cache-Control $page_cache_control always")


def _cors(site: NeurmaticSite) -> Lines:
    """`$preflight` is set when a page of an allowed origin asks whether it may."""
    cors = site.cors
    origins = [(quoted(origin), "$http_origin") for origin in site.origins]
    methods = quoted(", ".join(cors.methods))
    return [
        *switch("$http_origin", "$cors_origin", [("default", '""'), *origins]),
        *switch("$cors_origin", "$cors_credentials", [("default", "true" if cors.credentials else '""'), ('""', '""')]),
        *switch("$request_method:$cors_origin", "$preflight", [("default", '""'), ("~^OPTIONS:.", "1")]),
        *switch("$preflight", "$cors_methods", [("default", '""'), ("1", methods)]),
        *switch("$preflight", "$cors_headers", [("default", '""'), ("1", "$http_access_control_request_headers")]),
        *switch("$preflight", "$cors_max_age", [("default", '""'), ("1", str(cors.max_age))]),
    ]


def _caching(site: NeurmaticSite) -> Lines:
    """`$private` answers are kept by nobody: those to credentials or to changes, and those of some paths."""
    public = f"public, max-age={site.caching.api}"
    said_nothing = [("default", '""'), ('"~^1:"', '"private, no-store"'), ('"~^0:200:0:$"', quoted(public))]
    return [
        *switch("$http_authorization$http_cookie", "$credentials", [("default", "1"), ('""', "0")]),
        *switch("$request_method", "$changing", [("default", "1"), ("GET", "0"), ("HEAD", "0")]),
        *switch("$uri", "$never_kept", [("default", "0"), *((f'"~*^{path}"', "1") for path in _never_kept(site))]),
        *switch("$credentials$changing$never_kept", "$private", [("default", "1"), ('"000"', "0")]),
        *switch("$upstream_http_set_cookie", "$sets_cookie", [("default", "1"), ('""', "0")]),
        *switch(
            "$status:$upstream_http_retry_after", "$retry_after", [("default", '""'), ('"429:"', "1"), ('"503:"', "5")]
        ),
        *switch("$private:$status:$sets_cookie:$upstream_http_cache_control", "$api_cache_control", said_nothing),
    ]


def _pages(site: NeurmaticSite) -> Lines:
    """The frontend: files that have a new name when they change may be kept, pages are asked for each time."""
    asset = f'"~*\\.(?:{"|".join(EXTENSIONS)})$"'
    kept = quoted(f"public, max-age={site.caching.assets}")
    return [
        *switch("$uri", "$no_asset", [("default", "1"), (asset, "0")]),
        *switch(
            "$no_asset:$status",
            "$page_cache_control",
            [("default", '"no-cache"'), ('"0:200"', kept), ('"0:206"', kept)],
        ),
    ]


def _never_kept(site: NeurmaticSite) -> Iterable[str]:
    named = (HEALTH, AUTHENTICATION, site.websocket_path, *site.limits.login_paths, *site.limits.registration_paths)
    return dict.fromkeys(re.escape(path) for path in (*site.admin.paths, *named))
