"""Docker engines of the rehearsal's machine, over their socket or over SSH, through the Docker SDK.

Over SSH the official plugin runs `ssh ... docker system dial-stdio` for every connection; the SDK knows no options of
ssh. So the SDK gets a socket in a private folder, and each connection to that is handed to such an ssh.
"""

import atexit
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream

LOCAL = "unix:///var/run/docker.sock"
_PATIENCE = 10  # seconds that an ssh which failed may take to end
_SECONDS = 600  # an image may take long to arrive; the official plugin knows no limit
_Made = TypeVar("_Made")
_clients: dict[tuple[str, ...], Any] = {}
_tunnels: list["Tunnel"] = []
_lock = threading.Lock()


class Tunnel:
    """A socket whose connections end at an engine behind SSH."""

    def __init__(self, url: str, options: list[str], environment: dict[str, str]) -> None:
        at = urlsplit(url)
        whom = [*(("-l", at.username) if at.username else ()), *(("-p", str(at.port)) if at.port else ())]
        patience = [] if any("ConnectTimeout" in option for option in options) else ["-o", "ConnectTimeout=30"]
        command = ["docker", "system", "dial-stdio"]
        self.words = ["ssh", *whom, *options, *patience, "-T", "--", at.hostname or "", *command]
        self.environment, self.said = environment, b""
        self.last: threading.Thread | None = None  # follows the newest connection
        self.folder = Path(tempfile.mkdtemp(prefix="docker-"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / "sock"))
        self.listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        """What the SDK connects to."""
        return f"unix://{self.folder}/sock"

    def _serve(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            process = subprocess.Popen(
                self.words,
                stdin=connection.fileno(),
                stdout=connection.fileno(),
                stderr=subprocess.PIPE,
                env=self.environment,
            )
            connection.close()
            self.last = threading.Thread(target=self._follow, args=(process,), daemon=True)
            self.last.start()

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        said = process.communicate()[1]
        if process.returncode:
            self.said = said

    def failure(self) -> str:
        """Say why ssh ended, in the words of the official plugin."""
        if self.last:
            self.last.join(_PATIENCE)
        return (
            f"error during connect: command [{' '.join(self.words)}] has exited with exit status 255, make sure the"
            f" URL is valid, and Docker 18.09 or later is installed on the remote host: stderr={self.said.decode()}"
        )


def stop_all() -> None:
    """Remove the sockets."""
    for tunnel in _tunnels:
        shutil.rmtree(tunnel.folder, ignore_errors=True)


atexit.register(stop_all)


def ask(subject: Subject, what: str, question: Callable[[Any], _Made]) -> _Made:
    """Ask the provider's engine something; a refusal reads as the official plugin words it."""
    import docker  # noqa: PLC0415 - a preview pays nothing for it
    import requests  # noqa: PLC0415

    try:
        client = _client(subject)
    except Upstream as error:
        raise Upstream(f"{what}{error}") from error
    try:
        return question(client)
    except docker.errors.APIError as error:
        raise Upstream(f"{what}Error response from daemon: {error.explanation or error}") from error
    except requests.exceptions.RequestException as error:
        raise Upstream(f"{what}{_lost(client)}") from error


def _client(subject: Subject) -> Any:
    import docker  # noqa: PLC0415

    host = subject.settings.get("host") or subject.session.environment.get("DOCKER_HOST") or LOCAL
    options = [str(option) for option in subject.settings.get("sshOpts") or []]
    subject.session.admit_host(urlsplit(host).hostname or host)
    with _lock:
        key = (host, *options)
        if key not in _clients:
            tunnel = Tunnel(host, options, subject.session.environment) if host.startswith("ssh://") else None
            _tunnels.extend([tunnel] if tunnel else [])
            client: Any = docker.APIClient(
                tunnel.url if tunnel else host, version=_version(host, tunnel), timeout=_SECONDS
            )
            client.asked, client.tunnel = host, tunnel
            _clients[key] = client
        return _clients[key]


def _version(host: str, tunnel: Tunnel | None) -> str:
    import docker  # noqa: PLC0415

    probe: Any = docker.APIClient(tunnel.url if tunnel else host, version="1.24", timeout=60)
    probe.asked, probe.tunnel = host, tunnel
    try:
        return str(probe.version(api_version=False)["ApiVersion"])
    except Exception as error:
        raise Upstream(_lost(probe)) from error
    finally:
        probe.close()


def _lost(client: Any) -> str:
    if client.tunnel:
        return str(client.tunnel.failure())
    return f"Cannot connect to the Docker daemon at {client.asked}. Is the docker daemon running?"
