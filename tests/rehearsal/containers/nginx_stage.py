"""What the tests of nginx stand on, and how they ask: as Cloudflare does, for one visitor or another."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.containers.config import NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.site import AdminAccess, NeurmaticSite
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image, frontend
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.images.throwaway import network as own_network

API, APEX, WWW = "api.neurmatic.com", "neurmatic.com", "www.neurmatic.com"
ADMIN = "198.51.100.7"
SITE = NeurmaticSite(apex=APEX, www=WWW, api=API, admin=AdminAccess(addresses=(f"{ADMIN}/32",)))
FENCE = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@dataclass
class NginxStage:
    nginx: Container
    folder: Path
    network: str
    origin: Origin
    pools: dict[str, urllib3.HTTPSConnectionPool] = field(default_factory=dict)

    def ask(
        self, path: str, host: str = API, visitor: str | None = None, method: str = "GET", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """`visitor` is what Cloudflare says about who asks."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if visitor:
            named["CF-Connecting-IP"] = visitor
        return self._pool(host).request(method, path, headers={"Host": host, **named}, redirect=False, retries=False)

    def answers(self, status: int, path: str = "/api/v1/health/ready", visitor: str | None = None) -> bool:
        try:
            return self.ask(path, visitor=visitor).status == status
        except urllib3.exceptions.HTTPError:
            return False

    def _pool(self, host: str) -> urllib3.HTTPSConnectionPool:
        if host not in self.pools:
            self.pools[host] = urllib3.HTTPSConnectionPool(
                "127.0.0.1",
                self.nginx.published(443),
                server_hostname=host,
                assert_hostname=host,
                ca_certs=str(self.folder / "tls" / "fullchain.pem"),
                maxsize=20,
            )
        return self.pools[host]

    def plain(self, path: str, host: str) -> urllib3.BaseHTTPResponse:
        pool = urllib3.HTTPConnectionPool("127.0.0.1", self.nginx.published(80))
        return pool.request("GET", path, headers={"Host": host}, redirect=False, retries=False)

    def put(self, serving: Serving) -> None:
        write(self.folder / "conf", configuration(self.origin, serving))

    def reload(self) -> None:
        self.nginx.run("nginx", "-c", "/etc/stack/nginx.conf", "-s", "reload")


@contextmanager
def stage(folder: Path) -> Iterator[NginxStage]:
    """Containers are named by alias, so that a configuration is the one of a real stack."""
    with ExitStack() as stack:
        network = stack.enter_context(own_network())
        application(stack, network)
        gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network)
        origin = Origin(SITE, NginxSettings(at_least="1.22.1"), [f"{gateway}/32"], None, 5, "/tls", "/var/www/acme")
        self_signed(folder / "tls", SITE.names)
        write(folder / "conf", configuration(origin, Serving(["backend-1", "backend-2"], ["frontend"])))
        (folder / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True)
        (folder / "acme" / ".well-known" / "acme-challenge" / "token").write_text("proof")
        nginx = stack.enter_context(throwaway(ensure_image("nginx").tag, *command(), flags=flags(folder, network)))
        built = NginxStage(nginx, folder, network, origin)
        nginx.wait_until(lambda: built.answers(200), "nginx leads to a backend")
        yield built


def application(stack: ExitStack, network: str) -> None:
    tag = database(stack, network)
    for name in ("backend-1", "backend-2"):
        stack.enter_context(throwaway(tag, flags=[*FENCE, *on(network, name), *environment(INSTANCE=name)]))
    stack.enter_context(throwaway(ensure_image(frontend("1.4.2")).tag, flags=on(network, "frontend")))


def database(stack: ExitStack, network: str) -> str:
    """PostgreSQL, migrated, and Redis; the image of the backend."""
    data = ("--env", "POSTGRES_PASSWORD=word", "--tmpfs", "/var/lib/postgresql/data")
    server = stack.enter_context(throwaway(ensure_image("postgres").tag, flags=[*on(network, "postgres"), *data]))
    redis = throwaway(ensure_image("redis").tag, "--requirepass", "word", flags=on(network, "redis"))
    stack.enter_context(redis)
    ready = ("pg_isready", "--quiet", "--host", "127.0.0.1")
    server.wait_until(lambda: server.run(*ready) == "", "PostgreSQL answers")
    tag = ensure_image(backend("1.4.2")).tag
    docker("run", "--rm", "--network", network, *environment(), tag, "npx", "prisma", "migrate", "deploy")
    return tag


def environment(**more: str) -> list[str]:
    values = {
        "DATABASE_URL": "postgresql://postgres:word@postgres:5432/postgres?connection_limit=5&pool_timeout=2",
        "REDIS_URL": "redis://:word@redis:6379",
        **{name: name.lower() * 8 for name in ("JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET")},
        **more,
    }
    return [part for name, value in values.items() for part in ("--env", f"{name}={value}")]


def on(network: str, alias: str) -> list[str]:
    return ["--network", network, "--network-alias", alias]


def command() -> list[str]:
    return ["nginx", "-c", "/etc/stack/nginx.conf", "-g", "daemon off;"]


def flags(folder: Path, network: str) -> list[str]:
    """As the component runs it: not root, no capability, a read-only root."""
    mounts = {"conf": "/etc/stack", "tls": "/tls", "acme": "/var/www/acme"}
    return [
        *(*FENCE, "--user", "101:101", *on(network, "nginx")),
        *(part for source, target in mounts.items() for part in ("--volume", f"{folder / source}:{target}:ro")),
        *("--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/var/run:uid=101"),
        *("--publish", "127.0.0.1::443", "--publish", "127.0.0.1::80"),
    ]


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)


def self_signed(folder: Path, names: tuple[str, ...]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, form, serialization.NoEncryption())
    write(folder, {"fullchain.pem": certificate.public_bytes(pem).decode(), "privkey.pem": private.decode()})
