"""Who serves: the one file that a deploy changes, and that a reload brings into force."""

from __future__ import annotations

from collections.abc import Sequence

from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.text import Lines, block, page
from components.containers.services import BACKEND_PORT, FRONTEND_PORT

IDLE = "keepalive_timeout 4s"
"""Node closes an idle connection after 5 s. nginx has to be first, or a POST is sent into a closing connection."""


def upstreams(origin: Origin, serving: Serving) -> str:
    """With nobody to serve, an upstream points nowhere: nginx starts, and answers 502 until the first release."""
    backends = _servers(origin, serving.backends, BACKEND_PORT)
    frontends = _servers(origin, serving.frontends, FRONTEND_PORT)
    spare = _spares(serving.spare_backends, BACKEND_PORT)
    keepalive = f"keepalive {origin.settings.keepalive}"
    return page(
        block("upstream backend", "zone backend 128k", "least_conn", backends, spare, keepalive, IDLE),
        # The same backend for the same visitor: Socket.IO's polling breaks without. nginx knows no spares here.
        block("upstream sockets", "zone sockets 128k", "hash $remote_addr consistent", backends),
        block(
            "upstream frontend",
            *("zone frontend 64k", "least_conn", frontends, _spares(serving.spare_frontends, FRONTEND_PORT)),
            *(keepalive, IDLE),
        ),
    )


def _servers(origin: Origin, names: Sequence[str], port: int) -> Lines:
    fails = f"max_fails={origin.settings.max_fails} fail_timeout={origin.settings.fail_timeout}s"
    return [f"server {name}:{port} {fails};" for name in names] or ["server 127.0.0.1:1 down;"]


def _spares(names: Sequence[str], port: int) -> Lines:
    return [f"server {name}:{port} backup;" for name in names]
