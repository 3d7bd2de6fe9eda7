"""nginx.conf: what holds for every request, and the files of one configuration."""

from __future__ import annotations

from components.containers.nginx import answers, limits
from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.servers import RETRIED, servers
from components.containers.nginx.text import Lines, block, page, statements, switch
from components.containers.nginx.upstreams import upstreams

# Mozilla's intermediate set without DHE: every suite has forward secrecy, and nobody has to make parameters for it.
CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
CACHE = "/var/cache/nginx"
COMPRESSED = (
    "text/plain text/css text/javascript text/xml application/javascript application/json application/manifest+json"
    " application/xml application/wasm image/svg+xml font/ttf font/otf"
)
# The path without its query, and no referrer: one-time codes of a login would stay in the log otherwise.
LOG_FIELDS = {
    "time": "$time_iso8601",
    "visitor": "$remote_addr",
    "host": "$host",
    "method": "$request_method",
    "path": "$uri",
    "protocol": "$server_protocol",
    "status": "$status",
    "bytes": "$body_bytes_sent",
    "seconds": "$request_time",
    "upstream": "$upstream_addr",
    "upstream_status": "$upstream_status",
    "upstream_seconds": "$upstream_response_time",
    "cache": "$upstream_cache_status",
    "limit": "$limit_req_status",
    "id": "$request_id",
}


def configuration(origin: Origin, serving: Serving) -> dict[str, str]:
    """File name -> text. They lie in one folder, so that a whole configuration is replaced at once."""
    return {
        "nginx.conf": main(origin),
        "sites.conf": servers(origin),
        "upstreams.conf": upstreams(origin, serving),
    }


def main(origin: Origin) -> str:
    settings = origin.settings
    return page(
        statements(
            f"worker_processes {origin.workers}",
            # Each request to a backend takes two connections, and each one a file.
            f"worker_rlimit_nofile {settings.worker_connections * 2 + 1024}",
            f"worker_shutdown_timeout {origin.drain}s",
            "pid /var/run/nginx.pid",
            "error_log /dev/stderr warn",
        ),
        block("events", f"worker_connections {settings.worker_connections}", "multi_accept on"),
        block(
            "http",
            *_spaced(
                _basics(origin),
                _log(origin),
                _visitor(origin),
                limits.zones(origin.site),
                _tls(origin),
                _compression(origin),
                _proxy(),
                _caches(),
                answers.maps(origin.site),
                statements("include upstreams.conf", "include sites.conf"),
            ),
        ),
    )


def _spaced(*groups: Lines) -> list[Lines]:
    return [part for group in groups for part in (group, [""]) if group][:-1]


def _basics(origin: Origin) -> Lines:
    long = [f"keepalive_min_timeout {origin.drain}s"] if origin.at_least(1, 27, 4) else []
    return statements(
        "include /etc/nginx/mime.types",
        "default_type application/octet-stream",
        "server_tokens off",
        "sendfile on",
        "tcp_nopush on",
        "keepalive_timeout 65s",
        # Idle connections outlive a reload, so that no client writes into a closing one.
        *long,
        f"client_max_body_size {origin.settings.body_limit}m",
        "client_body_timeout 15s",
        "client_header_timeout 15s",
        "send_timeout 30s",
        "reset_timedout_connection on",
        "large_client_header_buffers 4 16k",
        # The longest name in a map of paths and the site's names decide these.
        "map_hash_bucket_size 256",
        "server_names_hash_bucket_size 128",
    )


def _log(origin: Origin) -> Lines:
    fields = ",".join(f'"{name}":"{value}"' for name, value in LOG_FIELDS.items())
    buffer = origin.settings.log_buffer
    buffered = f" buffer={buffer}k flush=5s" if buffer else ""
    return statements(f"log_format access escape=json '{{{fields}}}'", f"access_log /dev/stdout access{buffered}")


def _visitor(origin: Origin) -> Lines:
    """Limits and logs are about visitors. Cloudflare's word for one is taken from Cloudflare alone."""
    trusted = dict.fromkeys([*origin.proxies, *origin.settings.trusted_proxies])
    return statements(*(f"set_real_ip_from {address}" for address in trusted), "real_ip_header CF-Connecting-IP")


def _tls(origin: Origin) -> Lines:
    settings = origin.settings
    pulled = [f"ssl_client_certificate {origin.client_ca}", "ssl_verify_client on"] if origin.client_ca else []
    return statements(
        f"ssl_certificate {origin.certificates}/fullchain.pem",
        f"ssl_certificate_key {origin.certificates}/privkey.pem",
        "ssl_protocols TLSv1.2 TLSv1.3",
        f"ssl_ciphers {CIPHERS}",
        "ssl_prefer_server_ciphers off",
        f"ssl_session_cache shared:tls:{settings.session_cache}m",
        f"ssl_session_timeout {settings.session_timeout}s",
        "ssl_session_tickets off",
        # No stapling: Let's Encrypt's certificates name no responder since 2025, Cloudflare's Origin CA never did.
        "ssl_stapling off",
        *pulled,
    )


def _compression(origin: Origin) -> Lines:
    level = origin.settings.gzip_level
    if not level:
        return statements("gzip off")
    return statements(
        "gzip on",
        f"gzip_comp_level {level}",
        "gzip_min_length 1024",
        "gzip_proxied any",
        "gzip_vary on",
        f"gzip_types {COMPRESSED}",
    )


def _proxy() -> Lines:
    """Here and nowhere else: nginx drops all of these where a location sets one of its own."""
    return [
        # WebSockets alone: whoever asks for another protocol (h2c) would talk to a backend past every rule.
        *switch("$http_upgrade", "$upgrade_header", [("default", '""'), ("~*^websocket$", "websocket")]),
        *switch("$upgrade_header", "$connection_header", [("default", "upgrade"), ('""', '""')]),
        *statements(
            "proxy_http_version 1.1",
            "proxy_set_header Host $host",
            "proxy_set_header Upgrade $upgrade_header",
            "proxy_set_header Connection $connection_header",
            # Set, not appended to: what a visitor claims about himself stays out.
            "proxy_set_header X-Real-IP $remote_addr",
            "proxy_set_header X-Forwarded-For $remote_addr",
            "proxy_set_header X-Forwarded-Proto $scheme",
            "proxy_set_header X-Forwarded-Host $host",
            "proxy_set_header X-Request-ID $request_id",
            "proxy_connect_timeout 2s",
            "proxy_send_timeout 60s",
            "proxy_read_timeout 60s",
            f"proxy_next_upstream {RETRIED}",
            "proxy_next_upstream_tries 3",
            "proxy_next_upstream_timeout 10s",
        ),
    ]


def _caches() -> Lines:
    """In memory (the folder is a tmpfs). The origin of the asking page is in the key: answers name it."""
    return statements(
        f"proxy_cache_path {CACHE}/api levels=1:2 keys_zone=api_answers:4m max_size=32m inactive=10m use_temp_path=off",
        f"proxy_cache_path {CACHE}/pages levels=1:2 keys_zone=page_files:4m max_size=64m inactive=1h use_temp_path=off",
        'proxy_cache_key "$scheme $host $request_uri $http_origin"',
    )
