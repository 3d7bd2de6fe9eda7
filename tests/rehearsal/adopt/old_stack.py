"""A server that runs the product by docker-compose: names, ports and network that the new stack will want as well.

PostgreSQL's files lie in a folder of /mnt/data, Redis's on a named volume: one is renamed, the other copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from bench.deploys.compose import FOLDER, SECONDS, WORD, Composed, healthy, nginx_files, services
from bench.deploys.compose import environment as variables
from rehearsal.load import Target
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import take_down
from rehearsal.stack import HOST, OWNER, Images, images_for
from rehearsal.stackfile import stand_in
from rehearsal.whole import API, INSTALLED, PACKAGES, WholeStack

USER, DATABASE = "neurmatic_prod", "neurmatic_production"
NETWORK = "neurmatic-network"
POSTGRES, REDIS = "neurmatic-postgres-production", "neurmatic-redis"


@dataclass
class OldStack:
    """As somebody else has made it, and the new one that is to come."""

    composed: Composed
    whole: WholeStack

    @property
    def machine(self) -> Machine:
        return self.whole.machine

    def target(self) -> Target:
        """The certificate of either: who takes over has one of his own."""
        new = self.machine.ssh(f"sudo cat {INSTALLED}/nginx/tls/fullchain.pem", check=False).stdout
        return Target(self.machine.address, 443, API, self.composed.chain + new)

    def sql(self, query: str) -> str:
        ask = f"sudo docker exec -i {POSTGRES} psql -U {USER} -d {DATABASE} -At"
        return self.machine.ssh(ask, stdin=query).stdout.strip()

    def ledger(self) -> Mapping[str, int]:
        return dict(json.loads(self.sql("SELECT coalesce(json_object_agg(key, attempts), '{}') FROM ledger")))

    def say(self, *words: str) -> str:
        """To the old Redis."""
        ask = f"sudo docker exec -e REDISCLI_AUTH={WORD} {REDIS} redis-cli {' '.join(words)}"
        return self.machine.ssh(ask).stdout.strip()

    def say_new(self, *words: str) -> str:
        which = f"--container neurmatic-redis-production --folder {INSTALLED}/secrets/redis"
        return self.machine.ssh(
            f"sudo {INSTALLED}/scripts/redis-logins say {which} -- {' '.join(words)}"
        ).stdout.strip()


@contextmanager
def old_stack(name: str) -> Iterator[OldStack]:
    take_down(name)
    machine = Machine.up(name, Order(memory_mb=5000, packages=(*PACKAGES, "docker-compose")))
    try:
        with images_for(machine) as images:
            login = f"sudo docker login --username {OWNER} --password-stdin {HOST}"
            machine.ssh(login, stdin=stand_in("neurmatic:registry_token"))
            whole = WholeStack(machine, images, name)
            whole.forget()
            yield OldStack(brought_up(machine, images), whole)
            whole.forget()
    finally:
        take_down(name)


def brought_up(machine: Machine, images: Images) -> Composed:
    stack = Composed(machine, images, nginx_files(machine))
    document = yaml.safe_dump(compose_file(images.release("1.5.0"), images.stateful), sort_keys=False)
    machine.ssh(f"sudo tee {FOLDER}/docker-compose.yml >/dev/null", stdin=document)
    stack.run("up -d postgres redis")
    machine.ssh(f"until sudo docker exec {POSTGRES} pg_isready -q -h 127.0.0.1; do sleep 1; done", timeout=SECONDS)
    stack.run("run --rm backend-1 npx prisma migrate deploy")
    stack.run("up -d")
    healthy(machine)
    return stack


def compose_file(release: Mapping[str, str], stateful: Mapping[str, str]) -> dict[str, Any]:
    """That of the comparison of deploys, with the names, the data and the ports that a server in use has."""
    document = services(release, stateful)
    for name, each in document["services"].items():
        each |= {"restart": "always", "networks": {"default": {"aliases": [name]}}}
        if name.startswith("backend"):
            url = f"postgresql://{USER}:{WORD}@postgres:5432/{DATABASE}?connection_limit=10&pool_timeout=10"
            each["environment"] = {**variables(), "DATABASE_URL": url}
    postgres, redis, nginx = (document["services"][name] for name in ("postgres", "redis", "nginx"))
    postgres |= {
        "container_name": POSTGRES,
        "environment": {"POSTGRES_USER": USER, "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD": WORD},
        "volumes": ["/mnt/data/postgres:/var/lib/postgresql/data"],
        "ports": ["127.0.0.1:5432:5432"],
    }
    redis |= {"container_name": REDIS, "volumes": ["redis-data:/data"], "ports": ["127.0.0.1:6379:6379"]}
    nginx["container_name"] = "neurmatic-nginx-production"
    return {**document, "volumes": {"redis-data": {}}, "networks": {"default": {"name": NETWORK}}}
