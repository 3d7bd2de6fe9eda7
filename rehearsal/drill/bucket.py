"""The emulated S3, reachable from a rehearsal machine as the real one is from a server: by whatever runs there."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rehearsal.machine import Machine
from rehearsal.workspace import Workspace

VARIABLE = "AWS_ENDPOINT_URL_S3"
FILE, SUDO = "/etc/rehearsal.env", "/etc/sudoers.d/rehearsal-s3"


@contextmanager
def reachable(workspace: Workspace, machine: Machine) -> Iterator[None]:
    """The clouds answer on this machine's loopback; the server reaches them at its gateway."""
    gateway = machine.address.rpartition(".")[0] + ".1"
    with socket.create_server((gateway, 0)) as listener:
        threading.Thread(target=_forward, args=(listener, workspace), daemon=True).start()
        introduce(machine, f"http://{gateway}:{listener.getsockname()[1]}")
        try:
            yield
        finally:
            # What was destroyed meanwhile needs no tidying.
            machine.ssh(f"sudo rm -f {SUDO} {FILE}; sudo systemctl unset-environment {VARIABLE}", check=False)


def introduce(machine: Machine, address: str) -> None:
    """For what systemd starts, and for what somebody starts by sudo."""
    rules = f'Defaults env_file={FILE}\\nDefaults env_keep += "{VARIABLE}"\\n'
    steps = (
        f"sudo systemctl set-environment {VARIABLE}={address}",
        f"echo {VARIABLE}={address} | sudo tee {FILE} >/dev/null",
        f"printf '{rules}' | sudo tee {SUDO} >/dev/null",
        f"sudo chmod 0440 {SUDO}",
    )
    machine.ssh(" && ".join(steps))


def _forward(listener: socket.socket, workspace: Workspace) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        # Asked each time: clouds that nobody used for a while have ended, and begin again at another port.
        threading.Thread(target=_serve, args=(near, workspace), daemon=True).start()


def _serve(near: socket.socket, workspace: Workspace) -> None:
    with near, contextlib.suppress(OSError):
        port = int(workspace.start_clouds().aws.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as far:
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
