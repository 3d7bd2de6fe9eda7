"""Who can reach what: only the load balancer answers the internet."""

from __future__ import annotations

from collections.abc import Iterator

from .frame import CRITICAL, MEDIUM, UNJUDGED, Book, Finding, Resource, is_true, must_be
from .kinds import CONTAINER, DOCKER_PROVIDER, SERVICE, SPECTRUM

book = Book("exposure")

LOOPBACK = ("127.0.0.1", "::1")
PUBLIC_PORTS = (80, 443)

# Databases, caches, brokers and admin interfaces, by the port that they listen on inside their container.
PRIVATE_SERVICES = {
    22: "SSH",
    2181: "ZooKeeper",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    3306: "MySQL",
    3389: "remote desktop",
    4222: "NATS",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    5900: "VNC",
    5984: "CouchDB",
    6379: "Redis",
    6432: "PgBouncer",
    8008: "Patroni",
    8086: "InfluxDB",
    8200: "Vault",
    8500: "Consul",
    9000: "an admin console",
    9042: "Cassandra",
    9090: "Prometheus",
    9092: "Kafka",
    9100: "the node exporter",
    9200: "Elasticsearch",
    11211: "Memcached",
    15672: "RabbitMQ's console",
    26379: "Redis Sentinel",
    27017: "MongoDB",
}


@book.rule(
    "private-services",
    [CONTAINER],
    "A database, cache, broker or admin port on a public address is found and attacked within minutes.",
    "Publish it on 127.0.0.1 (ports[].ip), or not at all: containers of one network reach each other.",
    "CIS Docker 5.14",
    "KICS 451d79dc",
    severity=CRITICAL,
)
def private_service_is_published(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("ports"):
        service = _private_service(resource, path)
        if service and _leaves_the_host(resource, path):
            yield Finding(f"{path}.ip", f"{service} would be published on an address other than loopback.")


@book.rule(
    "public-ports",
    [CONTAINER],
    "What Docker publishes goes round the host's firewall; only the load balancer faces the internet.",
    "Publish it on 127.0.0.1 and let nginx forward to it.",
    "CIS Docker 5.14",
    "KICS 451d79dc",
)
def other_port_is_public(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("ports"):
        # Without one, Docker takes any free port.
        external = resource.read(f"{path}.external")
        if external is UNJUDGED or external in PUBLIC_PORTS:
            continue
        if not _private_service(resource, path) and _leaves_the_host(resource, path):
            yield Finding(f"{path}.external", "a port other than 80 and 443 would be open to the internet.")


@book.rule(
    "privileged-ports",
    [CONTAINER],
    "Ports below 1024 belong to the host's own services; a container that takes one shadows it.",
    "Publish a port from 1024 on, and let nginx forward to it.",
    "CIS Docker 5.8",
    "KICS bc2908f3",
    severity=MEDIUM,
)
def port_is_the_hosts(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("ports"):
        external = resource.read(f"{path}.external")
        if _is_number(external) and external < 1024 and external not in PUBLIC_PORTS:
            yield Finding(f"{path}.external", "a privileged port other than 80 and 443 would be taken.")


book.rule(
    "publish-all",
    [CONTAINER],
    "publishAllPorts opens whatever the next image happens to expose.",
    "Name each port in ports, with its address.",
    "CIS Docker 5.8",
)(must_be("publishAllPorts", [False], "every port that the image exposes would be open to the internet.", False))


@book.rule(
    "host-network",
    [CONTAINER],
    "In the host's network a container bypasses every port rule of this pack.",
    "Use a bridge network and name the ports that are to be published.",
    "CIS Docker 5.10",
    "KICS 071a71ff",
)
def network_is_the_hosts(resource: Resource) -> Iterator[Finding]:
    if resource.read("networkMode") == "host":
        yield Finding("networkMode", "the container would listen on every address of the host.")


@book.rule(
    "default-network",
    [CONTAINER],
    "Docker's default bridge is shared by every container on the host, whoever it belongs to.",
    "Attach the container to a network of its own stack with networksAdvanced.",
    "CIS Docker 5.30",
    "KICS ce14a68b",
    severity=MEDIUM,
)
def network_is_the_default(resource: Resource) -> Iterator[Finding]:
    mode = resource.read("networkMode", default="default")
    if mode in ("default", "bridge") and resource.size("networksAdvanced") == 0:
        yield Finding("networksAdvanced", "the container would share a network with all others on the host.")


@book.rule(
    "service-ports",
    [SERVICE],
    "The routing mesh publishes a service's port on every address of every node.",
    "Publish only 80 and 443; services of one overlay network reach each other without publishing anything.",
    "CIS Docker 5.14",
    "CIS Docker 7.3",
    severity=CRITICAL,
)
def service_publishes_a_port(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("endpointSpec.ports"):
        published = resource.read(f"{path}.publishedPort")
        if published is not UNJUDGED and published not in PUBLIC_PORTS:
            yield Finding(f"{path}.publishedPort", "a port other than 80 and 443 would be open on every node.")


@book.rule(
    "docker-api",
    [DOCKER_PROVIDER],
    "Whoever reaches Docker's TCP port without TLS is root on the host.",
    "Reach the engine over ssh://, or give certMaterial and keyMaterial (or certPath) for TLS.",
    "CIS Docker 2.7",
    severity=CRITICAL,
)
def docker_answers_without_tls(resource: Resource) -> Iterator[Finding]:
    host = resource.text("host")
    if host is None or not host.startswith(("tcp://", "http://")):
        return
    if all(resource.read(name) is None for name in ("certMaterial", "certPath")):
        yield Finding("host", "the Docker API would be spoken over plain TCP.")


@book.rule(
    "spectrum",
    [SPECTRUM],
    "Spectrum carries a TCP port of the origin to the whole internet, past the web firewall.",
    "Publish web traffic as a proxied name; reach databases and SSH through a tunnel or from known addresses.",
    "own rule",
)
def spectrum_publishes_a_private_port(resource: Resource) -> Iterator[Finding]:
    protocol = resource.text("protocol") or ""
    port = protocol.rpartition("/")[2]
    guarded = is_true(resource.read("ipFirewall", default=False))
    if port.isdigit() and int(port) in PRIVATE_SERVICES and not guarded:
        yield Finding("protocol", f"{PRIVATE_SERVICES[int(port)]} would be open to the internet.")


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


RULES = book.rules
