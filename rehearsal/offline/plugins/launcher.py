"""What the engine starts for a plugin: asks the run's one server for a port, prints it, and waits.

Six of these run at once, so they import next to nothing. The first one binds the run's address and hands that socket
to the server it starts; the others find the address taken and connect. Started by install.py's scripts, isolated.
"""

import json
import os
import socket
import subprocess
import sys
import time


def main() -> int:
    """Print the port of this plugin's server and stay until it goes."""
    settings = json.loads(sys.argv[1])
    address = f"\0{os.getppid()}:{settings['home'][-80:]}"  # an abstract address has 107 bytes
    connection = _connect(settings, address)
    request = {
        "name": settings["name"],
        "version": settings["version"],
        "engine": sys.argv[2] if len(sys.argv) > 2 else "",
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }
    connection.sendall(json.dumps(request).encode() + b"\n")
    port = connection.makefile("r").readline().strip()
    if not port:
        sys.exit(f"The plugin server ended at once: see {settings['home']}/plugins.log")
    print(port, flush=True)
    connection.recv(1)  # returns when the server ends
    return 0


def _connect(settings: dict[str, str], address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(address)  # abstract: no file stays behind, whatever ends this process
        listener.listen(16)
    except OSError:
        listener.close()
    else:
        _start_server(settings, listener)
    for _ in range(50):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address)
            return connection
        except ConnectionRefusedError:  # bound, and listening in a moment
            time.sleep(0.01)
    sys.exit(f"The plugin server of this run does not answer: see {settings['home']}/plugins.log")


def _start_server(settings: dict[str, str], listener: socket.socket) -> None:
    bootstrap = (
        f"import sys; sys.path[:0] = [{settings['root']!r}, {settings['site']!r}]\n"
        "from rehearsal.offline.plugins.server import main\n"
        f"main({settings['site']!r}, {settings['cache']!r}, {listener.fileno()}, {os.getppid()})"
    )
    with open(f"{settings['home']}/plugins.log", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-IS", "-c", bootstrap],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # the engine ends its plugins' process groups; the server outlives a preview
        )
    listener.close()


if __name__ == "__main__":
    sys.exit(main())
