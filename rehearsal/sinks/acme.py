"""A certificate authority that speaks ACME: Pebble, out of Debian's package, with a name server of its own."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.sinks.debian import program
from rehearsal.sinks.place import LOOPBACK, Place
from rehearsal.sinks.process import Server, launch
from rehearsal.sinks.tls import Authority

PACKAGE = "pebble"
HTTP_PORT = 80
NAME = "acme.rehearsal.test"
"""For clients that want a name; whoever uses it has to write it into their /etc/hosts."""


@dataclass(frozen=True)
class Ports:
    directory: int
    management: int
    names: int
    names_management: int


@dataclass(frozen=True)
class Acme:
    """It believes what its own name server says: `point` a name at the host that has to prove itself."""

    authority: Server
    names: Server
    place: Place
    ports: Ports
    root: bytes
    """For clients: the root of the server's own HTTPS certificate, not of what it issues."""

    @property
    def directory(self) -> str:
        return f"https://{self.place.address}:{self.ports.directory}/dir"

    @property
    def named_directory(self) -> str:
        return f"https://{NAME}:{self.ports.directory}/dir"

    @property
    def issuing_root(self) -> bytes:
        """The root under which it issues; made anew at every start, so that no one ever trusts it by mistake."""
        trusting = ssl.create_default_context(cadata=self.root.decode())
        address = f"https://{self.place.address}:{self.ports.management}/roots/0"
        with urllib.request.urlopen(address, timeout=10, context=trusting) as answer:
            content: bytes = answer.read()
            return content

    def point(self, name: str, *addresses: str) -> None:
        """DNS: where a name leads, for HTTP-01."""
        self._tell("add-a", {"host": f"{name}.", "addresses": list(addresses)})

    def set_txt(self, name: str, value: str) -> None:
        """DNS: what _acme-challenge.NAME says, for DNS-01."""
        self._tell("set-txt", {"host": f"{name}.", "value": value})

    def clear_txt(self, name: str) -> None:
        self._tell("clear-txt", {"host": f"{name}."})

    def stop(self) -> None:
        self.authority.stop()
        self.names.stop()

    def _tell(self, verb: str, words: dict[str, Any]) -> None:
        address = f"http://{self.place.address}:{self.ports.names_management}/{verb}"
        request = urllib.request.Request(address, json.dumps(words).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - as above


def start_acme(
    folder: Path, place: Place = LOOPBACK, *, http_port: int = HTTP_PORT, points_to: str | None = None
) -> Acme:
    """Every name leads to `points_to` (by default to the place itself) until `point` says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = Ports(*_free_ports(4))
    names = _start_names(folder, place, ports, points_to or place.address)
    try:
        authority = Authority("Rehearsal ACME")
        server = _start_pebble(folder, place, ports, authority, http_port)
    except BaseException:
        names.stop()
        raise
    return Acme(server, names, place, ports, authority.certificate)


def _start_names(folder: Path, place: Place, ports: Ports, points_to: str) -> Server:
    at = place.address
    options = ["-dns01", f"{at}:{ports.names}", "-management", f"{at}:{ports.names_management}"]
    options += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", points_to, "-defaultIPv6", ""]
    server = launch("names", [program("pebble-challtestsrv", PACKAGE), *options], place, folder)
    server.wait_until(lambda: "Starting management server" in server.log.read_text(errors="replace"))
    return server


def _start_pebble(folder: Path, place: Place, ports: Ports, authority: Authority, http_port: int) -> Server:
    pair = authority.issue([place.address, "localhost", NAME])
    (folder / "server.crt").write_bytes(pair.certificate)
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(pair.key)
    settings = {
        "listenAddress": f"{place.address}:{ports.directory}",
        "managementListenAddress": f"{place.address}:{ports.management}",
        "certificate": str(folder / "server.crt"),
        "privateKey": str(folder / "server.key"),
        "httpPort": http_port,
        "tlsPort": 443,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    resolver = f"{place.address}:{ports.names}"
    command = [program("pebble", PACKAGE), "-config", str(folder / "pebble.json"), "-dnsserver", resolver]
    # Without these it dawdles at random before it validates, refuses one nonce in twenty, and believes half of what was
    # proven before.
    quick = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    server = launch("pebble", command, place, folder, quick)
    server.wait_until(lambda: "ACME directory available at" in server.log.read_text(errors="replace"))
    return server


def _free_ports(count: int) -> list[int]:
    """Pebble wants to be told its ports. Held all at once, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
