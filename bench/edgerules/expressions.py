"""The expressions of the comparison: thirty rules as a production zone has them, and requests to decide on."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

RULES = (
    'http.request.method in {"TRACE" "CONNECT" "TRACK"}',
    'starts_with(http.request.uri.path, "/admin") and not ip.src in {203.0.113.0/24 2001:db8::/32}',
    'http.request.uri.path eq "/metrics" and not ip.src in {203.0.113.7 203.0.113.8}',
    'lower(url_decode(http.request.uri.query)) contains "union select"',
    'lower(url_decode(http.request.uri.query)) contains "or 1=1"',
    'lower(url_decode(http.request.uri.query, "r")) contains "sleep("',
    'lower(url_decode(http.request.uri.query)) contains "information_schema"',
    'lower(http.user_agent) contains "sqlmap" or lower(http.user_agent) contains "nikto"',
    'lower(http.user_agent) contains "masscan" or lower(http.user_agent) contains "zgrab"',
    'http.user_agent eq ""',
    'ip.src.country in {"KP" "IR" "SY" "CU"} and not cf.client.bot',
    'http.request.uri.path contains "/wp-login.php" or http.request.uri.path contains "/xmlrpc.php"',
    'http.request.uri.path contains "/.env" or http.request.uri.path contains "/.git"',
    'http.request.uri.path wildcard "*/phpmyadmin/*"',
    'http.request.uri.path matches "(?i)\\.(bak|old|sql|swp)$"',
    'ends_with(http.request.uri.path, ".php")',
    'http.host in {"old.example.com" "www.example.com"}',
    'not ssl and not starts_with(http.request.uri.path, "/.well-known/acme-challenge/")',
    'starts_with(http.request.uri.path, "/api/auth/login") and http.request.method eq "POST"',
    'starts_with(http.request.uri.path, "/api/auth/register") and http.request.method eq "POST"',
    'starts_with(http.request.uri.path, "/api/")',
    'any(http.request.headers["authorization"][*] contains "Bearer")',
    'any(lower(http.request.headers.names[*])[*] eq "x-forwarded-host")',
    "len(http.request.uri.query) gt 2048",
    'http.request.uri.path.extension in {"css" "js" "png" "jpg" "svg" "woff2"}',
    'http.cookie contains "session=" and starts_with(http.request.uri.path, "/api/")',
    'http.request.uri.path in {"/health" "/ready" "/live"}',
    '(http.host eq "api.example.com" and http.request.uri.path eq "/v1/import") xor http.request.method eq "PUT"',
    'http.request.full_uri wildcard "https://*.example.com/download/*"',
    'cf.threat_score gt 30 and not http.request.uri.path in {"/health" "/ready"}',
)

_PATHS = (
    "/",
    "/api/users?id=1",
    "/api/auth/login",
    "/static/app.js",
    "/admin/",
    "/wp-login.php",
    "/docs/a/b?q=union+select",
)
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "curl/8.5.0", "sqlmap/1.8")


def requests() -> list[dict[str, Any]]:
    """A mix of what a zone sees, as the simulator would hand it to the rules."""
    made = [(path, agent, f"198.51.100.{host}") for path in _PATHS for agent in _AGENTS for host in (1, 77)]
    return [_fields(*one) for one in made]


def _fields(target: str, agent: str, address: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    extension = path.rpartition("/")[2].rpartition(".")[2] if "." in path else ""
    headers = {b"user-agent": [agent.encode()], b"accept": [b"*/*"], b"host": [b"www.example.com"]}
    return {
        "cf.client.bot": False,
        "cf.threat_score": 0,
        "http.cookie": b"session=1",
        "http.host": b"www.example.com",
        "http.request.full_uri": f"https://www.example.com{target}".encode(),
        "http.request.headers": headers,
        "http.request.headers.names": list(headers),
        "http.request.method": b"GET",
        "http.request.uri.path": path.encode(),
        "http.request.uri.path.extension": extension.encode(),
        "http.request.uri.query": query.encode(),
        "http.user_agent": agent.encode(),
        "ip.src": ip_address(address),
        "ip.src.country": b"DE",
        "ssl": True,
    }
