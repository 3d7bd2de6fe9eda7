"""A machine with certbot and an nginx in its engine, an authority that issues, and Cloudflare's DNS."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.certificates.items import TIMER, Subject, items
from components.containers.balancer import COMMAND, told
from components.containers.config import Certificates, NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.host import remote
from components.host.bundle import bundle
from components.host.items import Desired, Item
from components.site import NeurmaticSite
from rehearsal.clouds import servers
from rehearsal.clouds.servers import Clouds, Zone
from rehearsal.hardened import ask
from rehearsal.images import ensure_image
from rehearsal.machine import Machine
from rehearsal.sinks.acme import NAME, Acme, start_acme
from rehearsal.sinks.place import Place

APEX, WWW, API = "neurmatic.com", "www.neurmatic.com", "api.neurmatic.com"
SITE = NeurmaticSite(apex=APEX, www=WWW, api=API)
ROOT = "/opt/neurmatic"
SCRIPTS, TLS = f"{ROOT}/infrastructure/scripts", f"{ROOT}/infrastructure/nginx/tls"
PACKAGES = ("docker.io", "busybox-static", "certbot")
ZONE = Zone("0" * 31 + "9", APEX)
CONTAINER = "neurmatic-nginx-production"


@dataclass
class Stage:
    machine: Machine
    acme: Acme
    clouds: Clouds
    subject: Subject
    proofs: set[str] = field(default_factory=set)
    """Names of TXT records that the zone has had."""

    def converge(self, **given: Any) -> None:
        """The items alone, as `up` would bring them: what a server is besides has tests of its own."""
        settings = Certificates.model_validate_json(json.dumps({"directory": self.acme.named_directory, **given}))
        self.subject = replace(self.subject, settings=settings)
        # The tests say when it runs, not the clock.
        self.apply([item for item in items(self.subject) if item.key != f"unit:{TIMER}"])

    def apply(self, wanted: Sequence[Item]) -> None:
        desired = Desired(tuple(wanted), adopt=True, data="/mnt/data", prefix="neurmatic-", ssh_port=22)
        document = f"{remote.LOADER}\n{base64.b64encode(bundle()).decode()}\n{remote.encode(desired)}\n"
        found = ask(self.machine, f"{remote.START} apply", document)
        assert not found.of("failed"), found.of("failed")

    def up(self) -> subprocess.CompletedProcess[str]:
        """The last step of the program."""
        return self.machine.ssh(f"sudo {SCRIPTS}/certificate keep --now", check=False, timeout=300)

    def timer(self) -> subprocess.CompletedProcess[str]:
        """What the timer starts."""
        return self.machine.ssh("sudo systemctl start neurmatic-certificate.service", check=False, timeout=300)

    def journal(self) -> str:
        return self.root("journalctl -u neurmatic-certificate.service -n 30 -o cat")

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.machine.ssh(f"{SCRIPTS}/certificate-status").stdout))

    def have(self, chain: str, key: str) -> None:
        """As if certbot had got it."""
        live = f"/etc/letsencrypt/live/{APEX}"
        self.root(f"cat >{live}/fullchain.pem <<'END'\n{chain}END\ncat >{live}/privkey.pem <<'END'\n{key}END\n")

    def install(self) -> subprocess.CompletedProcess[str]:
        return self.machine.ssh("sudo /etc/letsencrypt/renewal-hooks/deploy/neurmatic-nginx", check=False)

    def root(self, script: str, *, check: bool = True) -> str:
        return self.machine.ssh("sudo sh -e -s", stdin=script, check=check).stdout

    def served(self) -> str:
        """Of what nginx really serves."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((self.machine.address, 443), 5)
        with context.wrap_socket(plain, server_hostname=API) as wrapped:
            return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(True) or b"")

    def on_disk(self) -> str:
        return self.root(f"openssl x509 -in {TLS}/fullchain.pem")

    def fits(self) -> bool:
        """Chain and key on the disk belong together, and nginx could start with them."""
        of_chain, of_key = f"x509 -noout -pubkey -in {TLS}/fullchain.pem", f"pkey -pubout -in {TLS}/privkey.pem"
        started = f"docker exec {CONTAINER} nginx -t -q -c /etc/stack/current/nginx.conf"
        both = f'[ "$(openssl {of_chain})" = "$(openssl {of_key})" ] && {started} && echo yes || true'
        return "yes" in self.root(both)

    def container(self) -> str:
        return self.root(f"docker inspect --format '{{{{.Id}}}} {{{{.State.StartedAt}}}}' {CONTAINER}")


@contextmanager
def stage(machine: Machine, folder: Path) -> Iterator[Stage]:
    gateway = machine.address.rpartition(".")[0] + ".1"
    with ExitStack() as stack:
        acme = start_acme(folder / "acme", Place(gateway), points_to=machine.address)
        stack.callback(acme.stop)
        clouds = servers.start(folder / "clouds")
        clouds.adopt(ZONE)
        api = stack.enter_context(forwarded(gateway, clouds.cloudflare))
        subject = Subject(Certificates(), SITE.names, ROOT, CONTAINER, "101:101", ZONE.id, api, dns_seconds=1)
        built = Stage(machine, acme, clouds, subject)
        stack.enter_context(published(built))
        trust(built)
        built.converge()
        start_nginx(built)
        yield built


def trust(built: Stage) -> None:
    path = "/usr/local/share/ca-certificates/rehearsal.crt"
    built.machine.ssh(f"sudo tee {path} >/dev/null", stdin=built.acme.root.decode())
    token = built.subject.token
    built.machine.ssh(f"echo {built.acme.place.address} {NAME} | sudo tee -a /etc/hosts >/dev/null")
    built.root(f"update-ca-certificates >/dev/null 2>&1; install -d -m 0711 {token.rpartition('/')[0]}")
    built.machine.ssh(f"sudo install -m 0400 /dev/stdin {token}", stdin=built.clouds.cloudflare_token)


def start_nginx(built: Stage) -> None:
    """By the script of the program; the site has nobody behind it, which is nothing to the certificate."""
    image = ensure_image("nginx").tag
    saving = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
    load = built.machine.ssh_command("sudo docker load -q")
    subprocess.run(load, stdin=saving.stdout, check=True, capture_output=True, timeout=300)
    saving.wait()
    root = f"{ROOT}/infrastructure/nginx"
    built.root(f"docker network create stack >/dev/null; docker image inspect {image} >/dev/null")
    prepare(built, SITE)
    built.root(
        f"docker run -d --name {CONTAINER} --network stack --user 101:101 --read-only --cap-drop ALL "
        "--tmpfs /var/cache/nginx:uid=101 --tmpfs /var/run:uid=101 -p 80:80 -p 443:443 "
        f"-v {root}:/etc/stack:ro --sysctl net.ipv4.ip_unprivileged_port_start=0 "
        f'{image} nginx -c /etc/stack/current/nginx.conf -g "daemon off;"'
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            built.served()
            return
        time.sleep(0.1)
    raise AssertionError(built.root(f"docker logs {CONTAINER} 2>&1"))


def prepare(built: Stage, site: NeurmaticSite) -> None:
    origin = Origin(site, NginxSettings(at_least="1.22.1"), [], None, 3)
    where = {"root": f"{ROOT}/infrastructure/nginx", "container": CONTAINER, "network": "stack", "user": "101:101"}
    files = {"files": configuration(origin, Serving([], [])), "names": site.names, "drain": 3}
    wanted = {"action": "prepare", "image": ensure_image("nginx").tag, **where, **files}
    built.machine.ssh(COMMAND, stdin=told(wanted))


@contextmanager
def forwarded(gateway: str, base: str) -> Iterator[str]:
    """The clouds answer on loopback, which is another one for the machine."""
    port = int(base.split(":")[2].partition("/")[0])

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as behind:
                back = threading.Thread(target=pump, args=(behind, self.request), daemon=True)
                back.start()
                pump(self.request, behind)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((gateway, 0), Relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield base.replace(f"127.0.0.1:{port}", f"{gateway}:{server.server_address[1]}").rstrip("/")
        server.shutdown()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def published(built: Stage) -> Iterator[None]:
    """What Cloudflare's name servers do: records of the zone are answered a moment later."""
    acme, clouds = built.acme, built.clouds
    over = threading.Event()

    def mirror() -> None:
        known: dict[str, str] = {}
        while not over.wait(0.2):
            records = [each for each in clouds.zone(ZONE.id)["records"] if each["type"] == "TXT"]
            now = {each["name"]: each["content"].strip('"') for each in records}
            for name in set(known) - set(now):
                acme.clear_txt(name)
            for name, value in now.items():
                if known.get(name) != value:
                    acme.set_txt(name, value)
            known = now
            built.proofs |= set(now)

    thread = threading.Thread(target=mirror, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


@dataclass
class Seen:
    answers: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    closed: int = 0
    """Idle connections that a reload has closed: nginx 1.22 cannot keep them, and every browser asks again."""


@contextmanager
def asking(built: Stage, clients: int = 4) -> Iterator[Seen]:
    """Each client opens connections one after the other, and asks three times on each."""
    seen, over = Seen(), threading.Event()

    def client() -> None:
        while not over.wait(0.02):
            try:
                ask_thrice(built.machine.address, seen)
            except (OSError, http.client.HTTPException) as error:
                seen.failed.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def ask_thrice(address: str, seen: Seen) -> None:
    """What was closed before a byte of an answer came is asked once more, on a new connection."""
    connection = connected(address)
    for number in range(3):
        try:
            ask_once(connection, seen)
        except http.client.RemoteDisconnected:
            if number == 0:
                raise
            seen.closed += 1
            connection = connected(address)
            ask_once(connection, seen)
        if connection.sock is None:
            # The server has said so: it takes no more on this one.
            return
    connection.close()


def connected(address: str) -> http.client.HTTPConnection:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPConnection(WWW)
    connection.sock = context.wrap_socket(socket.create_connection((address, 443), 5), server_hostname=WWW)
    return connection


def ask_once(connection: http.client.HTTPConnection, seen: Seen) -> None:
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    seen.answers[answer.status] += 1
