"""A whole product in plain containers, called and labelled as the stack's, and the health check that looks at it."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.containers.config import ContainersSettings, NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.onhost.redis_logins import users
from components.containers.services import redis, redis_configuration
from components.health.items import Watched, told
from components.site import NeurmaticSite
from neurmatic.settings import NeurmaticSettings
from ops.stackcheck import check_file
from ops.target import ROOT
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image, frontend
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.images.throwaway import network as own_network
from rehearsal.sinks.tls import Authority

RUN = "import sys; from components.health.onhost.main import main; sys.exit(main(sys.argv[1], sys.argv[2:]))"
OPERATOR = "word-of-root"
MOST = 12
"""Connections that PostgreSQL takes: few, so that all can be used up."""


@dataclass
class HealthStage:
    folder: Path
    watched: Watched
    settings: dict[str, Any]
    running: dict[str, Container] = field(default_factory=dict)

    def check(self, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        """The script as the server's entry starts it; `settings` are laid over the stage's."""
        path = self.folder / "settings.json"
        path.write_text(json.dumps({**self.settings, **settings}))
        return subprocess.run(
            [sys.executable, "-B", "-c", RUN, str(path), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def report(self, **settings: Any) -> dict[str, Any]:
        done = self.check("--json", **settings)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if report["healthy"] else 1)
        return report

    def wrong(self, **settings: Any) -> dict[str, str]:
        """What is bad, by name; what the machine of the tests is like is left out."""
        found = self.report(**settings)["findings"]
        return {each["name"]: each["text"] for each in found if each["level"] in ("warning", "critical")}

    def until_well(self) -> None:
        self.until_wrong()

    def until_wrong(self, *names: str, **settings: Any) -> dict[str, str]:
        """Looks until these and no others are bad: on a busy machine one more may answer late for once."""
        end = time.monotonic() + 120
        while {*(found := self.wrong(**settings))} != {*names}:
            assert time.monotonic() < end, found
            time.sleep(0.5)
        return found


def settings_of_production() -> NeurmaticSettings:
    found = check_file(ROOT / "Pulumi.production.yaml", rehearsal=True).settings
    assert isinstance(found, NeurmaticSettings)
    return found


@contextmanager
def stage(folder: Path) -> Iterator[HealthStage]:
    mark = f"x{secrets.token_hex(4)}"
    production = settings_of_production()
    watched = Watched(
        alerts=production.alerts,
        containers=production.containers,
        site=production.site,
        stack="neurmatic test",
        names=f"health-{{service}}-{mark}",
        labels={"product": "health", "environment": mark},
        root=str(folder),
        data=str(folder),
        backup_max_age=production.backup.max_age,
    )
    with ExitStack() as stack:
        network = stack.enter_context(own_network())
        built = HealthStage(folder, watched, {})
        start(stack, built, network)
        write(folder / "infrastructure" / "secrets" / "redis", {"operator": OPERATOR})
        built.settings = laid_out(built)
        built.until_well()
        yield built


def laid_out(built: HealthStage) -> dict[str, Any]:
    """What the server is told, but for what the machine of the tests has otherwise."""
    settings = told(built.watched)
    return {
        **settings,
        "port": built.running["nginx"].published(443),
        "postgres": {"user": "postgres", "database": "postgres"},
        "units": ["neurmatic-no-such-unit"],
        "disks": [],
        "window": 1,
        "limits": {**settings["limits"], "cpu": {"warning": 2, "critical": 3}, "memory": {"warning": 2, "critical": 3}},
        "healthy": {"disk_used": 0.9, "memory_free": 0.0},
        "state": str(built.folder / "state" / "health.json"),
    }


def start(stack: ExitStack, built: HealthStage, network: str) -> None:
    names = built.watched.names

    def run(service: str, image: str, *command: str, flags: list[str] | None = None, **options: Any) -> None:
        name = names.format(service=service)
        labels = [word for pair in built.watched.labels.items() for word in ("--label", "=".join(pair))]
        place = ["--name", name, "--network", network, "--network-alias", service, *labels]
        built.running[service] = stack.enter_context(
            throwaway(image, *command, flags=[*place, *(flags or [])], **options)
        )

    stores(run, built.watched.containers)
    server = built.running["postgres"]
    ready = ("pg_isready", "--quiet", "--host", "127.0.0.1")
    server.wait_until(lambda: server.run(*ready) == "", "PostgreSQL answers")
    tag = ensure_image(backend("1.4.2")).tag
    docker("run", "--rm", "--network", network, *environment(), tag, "npx", "prisma", "migrate", "deploy")
    for number in ("backend-1", "backend-2"):
        run(number, tag, flags=environment(INSTANCE=number))
    run("frontend", ensure_image(frontend("1.4.2")).tag)
    serving = Serving([names.format(service=f"backend-{each}") for each in (1, 2)], [names.format(service="frontend")])
    run("nginx", ensure_image("nginx").tag, *nginx(built, serving), flags=nginx_flags(built.folder))


def stores(run: Any, containers: ContainersSettings) -> None:
    postgres = ["--env", "POSTGRES_PASSWORD=word", "--tmpfs", "/var/lib/postgresql/data"]
    run("postgres", ensure_image("postgres").tag, "postgres", "-c", f"max_connections={MOST}", flags=postgres)
    files = {
        "/run/secrets/redis.conf": redis_configuration(containers.redis),
        "/run/secrets/users.acl": users({"a": {"hash": hashlib.sha256(b"word").hexdigest()}}, OPERATOR),
    }
    command = redis(containers.redis, "/mnt/data").command
    shown = {path: text.encode() for path, text in files.items()}
    run("redis", ensure_image("redis").tag, *command, files=shown, flags=["--tmpfs", "/data:mode=1777"])


def environment(**more: str) -> list[str]:
    values = {
        "DATABASE_URL": "postgresql://postgres:word@postgres:5432/postgres?connection_limit=2&pool_timeout=2",
        "REDIS_URL": "redis://:word@redis:6379",
        **{name: name.lower() * 8 for name in ("JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET")},
        **more,
    }
    return [part for name, value in values.items() for part in ("--env", f"{name}={value}")]


def nginx(built: HealthStage, serving: Serving) -> list[str]:
    """The configuration that ships, in the folder where the switch would put it."""
    site: NeurmaticSite = built.watched.site
    current = built.folder / "infrastructure" / "nginx" / "current"
    origin = Origin(site, NginxSettings(at_least="1.22.1", log_buffer=0), [], "client-ca.pem", 5, "/tls", "/acme")
    pair = Authority().issue(site.names)
    write(built.folder / "tls", {"fullchain.pem": pair.certificate.decode(), "privkey.pem": pair.key.decode()})
    write(current, {"client-ca.pem": edge(built.folder)})
    sets = {"backends": list(serving.backends), "frontends": list(serving.frontends)}
    write(current, {**configuration(origin, serving), "serving.json": json.dumps({"sets": sets, "release": {}})})
    return ["nginx", "-c", "/etc/stack/nginx.conf", "-g", "daemon off;"]


def edge(folder: Path) -> str:
    """What shows nginx that it is asked by the edge: the CA, and a certificate of it for the check (here the same)."""
    key, made = folder / "edge.key", folder / "edge.pem"
    subject = ["-subj", "/CN=edge", "-days", "2", "-keyout", str(key), "-out", str(made)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *subject],
        check=True,
        capture_output=True,
    )
    write(folder / "infrastructure" / "secrets" / "health", {"client.pem": made.read_text() + key.read_text()})
    return made.read_text()


def nginx_flags(folder: Path) -> list[str]:
    mounts = {"infrastructure/nginx/current": "/etc/stack", "tls": "/tls"}
    return [
        *("--user", "101:101", "--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/var/run:uid=101"),
        *(part for source, target in mounts.items() for part in ("--volume", f"{folder / source}:{target}:ro")),
        *("--publish", "127.0.0.1::443"),
    ]


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for parent in (folder, *folder.parents[:5]):
        if parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o555)
    for name, text in files.items():
        (folder / name).write_text(text)
