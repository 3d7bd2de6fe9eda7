"""The one process behind the stand-in plugins of an engine run: a gRPC server per provider, gone when the engine is."""

import marshal
import os
import select
import socket
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.launcher import ours


def _without_the_sdk(site: str) -> None:
    """Make `pulumi` an empty package, so that its protocol can be imported without the rest (0.2 s)."""
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = types.ModuleType(name)
        package.__path__ = [f"{site}/{name.replace('.', '/')}"]
        sys.modules[name] = package


class Server:
    """Answers launchers with a port each: the engine starts one for every provider of a program."""

    def __init__(self, site: str, cache: str) -> None:
        self.site, self.cache = Path(site), Path(cache)
        self.pool = ThreadPoolExecutor(256, "plugin")  # commands hold a thread each while they run
        self.open: list[Any] = []  # what must not be collected: servers, and the connections that keep launchers alive

    def welcome(self, connection: socket.socket) -> None:
        """Read one launcher's request and answer it."""
        from rehearsal.offline.plugins.provider import open_plugin  # noqa: PLC0415 - grpc loads here

        with connection.makefile("rb") as stream:
            request = marshal.loads(stream.read())  # noqa: S302 - from our own launcher, through its own socket
        server, port = open_plugin(request, self.site, self.cache, self.pool)
        connection.sendall(f"{port}\n".encode())
        self.open += [server, connection]


def main(site: str, cache: str, listener_fd: int, engine: int) -> None:
    """Serve until the engine with this process id has gone."""
    threading.Thread(target=_leave_with, args=(engine,), daemon=True).start()
    _without_the_sdk(site)
    listener = socket.socket(fileno=listener_fd)
    server = Server(site, cache)
    while True:
        connection, _ = listener.accept()
        if ours(connection):
            server.welcome(connection)


def _leave_with(engine: int) -> None:
    """End this process at once when the engine ends, however it ends."""
    try:
        descriptor = os.pidfd_open(engine)
        select.select([descriptor], [], [])
    except ProcessLookupError:
        pass
    except OSError:  # a kernel without pidfd
        while os.path.exists(f"/proc/{engine}"):
            time.sleep(0.2)
    _end()


def _end() -> None:
    if provider := sys.modules.get("rehearsal.offline.plugins.provider"):
        provider.stop_all()
    os._exit(0)
