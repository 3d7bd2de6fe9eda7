"""Who can reach what: only the load balancer answers the internet."""

from __future__ import annotations

from collections.abc import Iterator

from .frame import UNJUDGED, About, Finding, Resource, Rule

CONTAINER = "docker:index/container:Container"
LOOPBACK = {"127.0.0.1", "::1"}
PUBLIC_PORTS = {80, 443}

# Databases, caches, brokers and admin interfaces, by the port that they listen on inside their container.
PRIVATE_SERVICES = {
    2375: "Docker",
    2379: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    6432: "PgBouncer",
    8008: "Patroni",
    9000: "an admin console",
    9090: "Prometheus",
    9200: "Elasticsearch",
    11211: "Memcached",
    15672: "RabbitMQ's console",
    26379: "Redis Sentinel",
    27017: "MongoDB",
}


def private_service_is_published(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("ports"):
        service = _private_service(resource, path)
        if service and _leaves_the_host(resource, path):
            yield Finding(f"{path}.ip", f"{service} would be published on an address other than loopback.")


def other_port_is_public(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("ports"):
        external = resource.read(f"{path}.external")
        if external is UNJUDGED or external in PUBLIC_PORTS:
            continue
        if not _private_service(resource, path) and _leaves_the_host(resource, path):
            yield Finding(f"{path}.external", "a port other than 80 and 443 would be open to the internet.")


def every_port_is_published(resource: Resource) -> Iterator[Finding]:
    if resource.read("publishAllPorts", default=False) is True:
        yield Finding("publishAllPorts", "every port that the image exposes would be open to the internet.")


def network_is_the_hosts(resource: Resource) -> Iterator[Finding]:
    if resource.read("networkMode") == "host":
        yield Finding("networkMode", "the container would listen on every address of the host.")


def _private_service(resource: Resource, path: str) -> str | None:
    ports = (resource.read(f"{path}.{side}") for side in ("internal", "external"))
    # Numbers arrive as floats.
    return next((PRIVATE_SERVICES[int(port)] for port in ports if _is_number(port) and port in PRIVATE_SERVICES), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _leaves_the_host(resource: Resource, path: str) -> bool:
    # Docker's default is 0.0.0.0, and what it publishes there goes round UFW (github.com/moby/moby/issues/4737).
    address = resource.read(f"{path}.ip", default="0.0.0.0")  # noqa: S104
    return address is not UNJUDGED and address not in LOOPBACK


RULES = [
    Rule(
        About(
            "exposure-private-services",
            "A database, cache, broker or admin port on a public address is found and attacked within minutes.",
            "Publish it on 127.0.0.1 (ports[].ip), or not at all: containers of one network reach each other.",
            frameworks=("CIS Docker 5.14", "KICS 451d79dc"),
        ),
        (CONTAINER,),
        private_service_is_published,
    ),
    Rule(
        About(
            "exposure-public-ports",
            "What Docker publishes goes round the host's firewall; only the load balancer faces the internet.",
            "Publish it on 127.0.0.1 and let nginx forward to it.",
            frameworks=("CIS Docker 5.14",),
        ),
        (CONTAINER,),
        other_port_is_public,
    ),
    Rule(
        About(
            "exposure-publish-all",
            "publishAllPorts opens whatever the next image happens to expose.",
            "Name each port in ports, with its address.",
            frameworks=("CIS Docker 5.8",),
        ),
        (CONTAINER,),
        every_port_is_published,
    ),
    Rule(
        About(
            "exposure-host-network",
            "In the host's network a container bypasses every port rule of this pack.",
            "Use a bridge network and name the ports that are to be published.",
            frameworks=("CIS Docker 5.10", "KICS 071a71ff"),
        ),
        (CONTAINER,),
        network_is_the_hosts,
    ),
]
