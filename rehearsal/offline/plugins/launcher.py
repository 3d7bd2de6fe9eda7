"""What the engine starts for a plugin: asks the run's one server for a port, prints it, and waits.

Six of these run at once, so they import next to nothing. The first one binds the run's address and hands that socket
to the server it starts; the others find the address taken and connect. Started by install.py's scripts, isolated.
"""

import marshal
import os
import socket
import sys
import time


def main() -> int:
    """Print the port of this plugin's server and stay until it goes."""
    name, version, home, root, site, cache = sys.argv[1:7]
    connection = _connect(home, [root, site, cache])
    request = {
        "name": name,
        "version": version,
        "engine": sys.argv[7] if len(sys.argv) > 7 else "",
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }
    connection.sendall(marshal.dumps(request))
    connection.shutdown(socket.SHUT_WR)
    port = connection.recv(16).decode().strip()
    if not port:
        sys.exit(f"The plugin server ended at once: see {home}/plugins.log")
    print(port, flush=True)
    connection.recv(1)  # returns when the server ends
    return 0


def _connect(home: str, places: list[str]) -> socket.socket:
    address = f"\0{os.getppid()}:{home[-80:]}"  # an abstract address has 107 bytes
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(address)  # abstract: no file stays behind, whatever ends this process
        listener.listen(16)
    except OSError:
        listener.close()
    else:
        _start_server(home, places, listener)
    for _ in range(50):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address)
            if not ours(connection):
                sys.exit("The plugin server's address is taken by another user of this machine: try again.")
            return connection
        except ConnectionRefusedError:  # bound, and listening in a moment
            time.sleep(0.01)
    sys.exit(f"The plugin server of this run does not answer: see {home}/plugins.log")


def ours(connection: socket.socket) -> bool:
    """Say whether this user is at the other end: what is sent holds the engine's environment."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # three numbers: pid, uid, gid
    return int.from_bytes(credentials[4:8], sys.byteorder) == os.getuid()


def _start_server(home: str, places: list[str], listener: socket.socket) -> None:
    import subprocess  # noqa: PLC0415 - only one of the six needs it

    root, site, cache = places
    bootstrap = (
        f"import sys; sys.path[:0] = [{root!r}, {site!r}]\n"
        "from rehearsal.offline.plugins.server import main\n"
        f"main({site!r}, {cache!r}, {listener.fileno()}, {os.getppid()})"
    )
    with open(f"{home}/plugins.log", "ab") as log:
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
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # how the engine ends its plugins
        sys.exit(130)
