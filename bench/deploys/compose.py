"""The same stack as people run it today: docker-compose on the server, a new release by `docker-compose up -d`.

The same images out of the same registry, the same nginx configuration, health checks and graceful stops. In its favour
nginx is reloaded right after, which `up -d` does not do by itself: it would go on asking the addresses of containers
that are gone.
"""

from __future__ import annotations

import base64
import io
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.containers.config import NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.onhost.serve import self_signed
from components.site import AdminAccess, NeurmaticSite
from rehearsal.load import EVERY, Phase, Plan, Report, Target, loading
from rehearsal.load.report import miswritten
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.stack import HOST, NGINX, OWNER, Images, images_for
from rehearsal.stackfile import stand_in

NAME = "bench-compose"
PACKAGES = ("docker.io", "docker-compose", "busybox-static")
FOLDER = "/srv/stack"
API = "api.neurmatic.com"
SITE = NeurmaticSite(
    apex="neurmatic.com", www="www.neurmatic.com", api=API, admin=AdminAccess(addresses=("198.51.100.7/32",))
)
USER = "101:101"
BEFORE, AFTER = 15.0, 12.0
WORD = "rehearsal"
SECONDS = 600
HEALTH = {"interval": "5s", "timeout": "5s", "retries": 3, "start_period": "30s"}


@dataclass
class Composed:
    machine: Machine
    images: Images
    chain: str

    def write(self, release: Mapping[str, str]) -> None:
        document = yaml.safe_dump(services(release, self.images.stateful), sort_keys=False)
        self.machine.ssh(f"sudo tee {FOLDER}/docker-compose.yml >/dev/null", stdin=document)

    def run(self, arguments: str) -> None:
        self.machine.ssh(f"cd {FOLDER} && sudo docker-compose {arguments}", timeout=SECONDS)

    @property
    def target(self) -> Target:
        return Target(self.machine.address, 443, API, self.chain)

    def ledger(self) -> Mapping[str, int]:
        query = "SELECT key, attempts FROM ledger"
        ask = f"exec -T postgres psql -h 127.0.0.1 -U postgres -At -F ' ' -c '{query}'"
        lines = self.machine.ssh(f"cd {FOLDER} && sudo docker-compose {ask}").stdout.splitlines()
        return {key: int(count) for key, count in (line.split() for line in lines)}


@contextmanager
def running() -> Iterator[Composed]:
    take_down(NAME)
    try:
        machine = Machine.up(NAME, Order(memory_mb=3500, packages=PACKAGES))
        with images_for(machine) as images:
            login = f"sudo docker login --username {OWNER} --password-stdin {HOST}"
            machine.ssh(login, stdin=stand_in("neurmatic:registry_token"))
            stack = Composed(machine, images, nginx_files(machine))
            stack.write(images.release("1.5.0"))
            stack.run("up -d postgres redis")
            ready = "sudo docker-compose exec -T postgres pg_isready -q -h 127.0.0.1"
            machine.ssh(f"cd {FOLDER} && until {ready}; do sleep 1; done", timeout=SECONDS)
            stack.run("run --rm backend-1 npx prisma migrate deploy")
            stack.run("up -d")
            healthy(machine)
            yield stack
    finally:
        take_down(NAME)


def healthy(machine: Machine) -> None:
    """PostgreSQL and both backends."""
    script = 'until [ "$(sudo docker ps --filter health=healthy --quiet | wc -l)" -ge 3 ]; do sleep 1; done; sleep 2'
    machine.ssh(script, timeout=SECONDS)


def measured(stack: Composed, version: str, rate: float) -> dict[str, Any]:
    release = stack.images.release(version)
    plan = Plan(rate=rate, prefix=f"compose-{version}-{time.time():.0f}", mix=EVERY)
    with loading(stack.target, plan) as heard:
        time.sleep(BEFORE)
        began = time.time()
        stack.write(release)
        stack.run("pull -q backend-1 backend-2 frontend")
        stack.run("up -d")
        stack.run("exec -T nginx nginx -c /etc/stack/nginx.conf -s reload")
        ended = time.time()
        time.sleep(AFTER)
    report, whole = Report(heard.records), Phase("deploy", began, ended)
    return {
        "version": version,
        "seconds": ended - began,
        "requests": len(report.records),
        "failed": dict(report.failed),
        "again": report.again,
        "mistakes": list(miswritten(heard.records, stack.ledger())),
        "steady": Report([each for each in report.quick.records if each.ended < began]).seconds(99),
        "during": report.quick.during(whole).seconds(99),
    }


def nginx_files(machine: Machine) -> str:
    """Puts configuration and certificate on the machine; the certificate."""
    gateway = machine.address.rpartition(".")[0] + ".1/32"
    origin = Origin(SITE, NginxSettings(at_least=NGINX), [gateway], None, 12, "/tls", "/var/www/acme")
    files = configuration(origin, Serving(["backend-1", "backend-2"], ["frontend"]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        self_signed(folder, {"names": SITE.names, "user": USER})
        pair = {path.name: path.read_text() for path in folder.iterdir()}
    texts = {f"conf/{name}": text for name, text in files.items()} | {
        f"tls/{name}": text for name, text in pair.items()
    }
    unpack = f"sudo install -d {FOLDER} && base64 -d | sudo tar -x -C {FOLDER}"
    machine.ssh(unpack, stdin=archive(texts))
    return pair["fullchain.pem"]


def archive(texts: Mapping[str, str]) -> str:
    """As text: what goes through SSH here is text."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in texts.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.uid, entry.gid = len(text.encode()), 0o444, 101, 101
            archive.addfile(entry, io.BytesIO(text.encode()))
    return base64.b64encode(buffer.getvalue()).decode()


def services(release: Mapping[str, str], stateful: Mapping[str, str]) -> dict[str, Any]:
    backend = {
        "image": f"{HOST}/{OWNER}/neurm-backend@{release['backend']}",
        "environment": environment(),
        "healthcheck": {"test": ["CMD", "curl", "-sf", "http://127.0.0.1:3000/api/v1/health/ready"], **HEALTH},
        "stop_grace_period": "40s",
        "mem_limit": "256m",
    }
    ready = {"test": ["CMD", "pg_isready", "-q", "-h", "127.0.0.1"], **HEALTH}
    data = {"POSTGRES_PASSWORD": WORD}
    nginx = {
        "image": stateful["nginx"],
        "command": ["nginx", "-c", "/etc/stack/nginx.conf", "-g", "daemon off;"],
        "user": USER,
        "tmpfs": ["/var/cache/nginx:uid=101", "/var/run:uid=101"],
        "volumes": [f"{FOLDER}/conf:/etc/stack:ro", f"{FOLDER}/tls:/tls:ro"],
        "ports": ["443:443"],
        "depends_on": ["backend-1", "backend-2", "frontend"],
    }
    return {
        "version": "2.4",
        "services": {
            "postgres": {"image": stateful["postgres"], "environment": data, "healthcheck": ready},
            "redis": {"image": stateful["redis"], "command": ["--requirepass", WORD]},
            "backend-1": {**backend},
            "backend-2": {**backend},
            "frontend": {"image": f"{HOST}/{OWNER}/neurm-frontend@{release['frontend']}"},
            "nginx": nginx,
        },
    }


def environment() -> dict[str, str]:
    query = "connection_limit=10&pool_timeout=10"
    secrets = {name: name.lower() * 4 for name in ("JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET")}
    return {
        "DATABASE_URL": f"postgresql://postgres:{WORD}@postgres:5432/postgres?{query}",
        "REDIS_URL": f"redis://:{WORD}@redis:6379",
        **secrets,
    }
