"""The firewall: UFW for the server itself, a table of our own for what Docker publishes, which passes by UFW.

Both are files that are checked before they land; what the kernel has made of them is compared with what it should have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from string import Template

from components.edge.addresses import cloudflare_addresses
from components.host.config import HostSettings
from components.host.items import Argv, Directory, File, Item, Live, Reader, Unit
from components.host.text import HERE, MANAGED, shipped
from components.values import Cidr, HttpFrom

CONTAINERS = "/etc/infra/containers.nft"
PROGRAM = "/usr/local/sbin/infra-firewall"
SERVICE = "infra-containers-firewall.service"
EVERYONE = ("0.0.0.0/0", "::/0")
HTTP_PORTS = "80,443"
RELOAD_UFW: Argv = ("ufw", "reload")
# Also back to a firewall that was off, which `ufw reload` would leave as it is.
UNDO_UFW: tuple[Argv, ...] = (("/lib/ufw/ufw-init", "force-stop"), ("/lib/ufw/ufw-init", "start"))
# They would empty all tables at a reload, or load a second set of rules at the next boot.
RIVALS = ("nftables.service", "netfilter-persistent.service", "firewalld.service")


def firewall_items(settings: HostSettings, trusted: Sequence[Cidr] = ()) -> list[Item]:
    """`trusted` may reach ports 80 and 443 besides Cloudflare."""
    web = (*(EVERYONE if settings.http_from is HttpFrom.EVERYONE else cloudflare_addresses()), *trusted)
    return [
        *(Unit(name, enabled="disabled", active=None, optional=True) for name in RIVALS),
        *containers(web),
        *ufw(settings, web),
        File(PROGRAM, shipped(PROGRAM), mode="0755", reader=Reader(argv=("sh", "-n", "{candidate}"))),
        Live(
            "firewall",
            show=(PROGRAM, "check"),
            lines=("every rule is loaded",),
            repair=((PROGRAM, "repair"),),
            guarded=True,
            undo=UNDO_UFW,
        ),
    ]


def containers(web: Sequence[Cidr]) -> list[Item]:
    unit = f"/etc/systemd/system/{SERVICE}"
    return [
        Directory("/etc/infra"),
        File(
            CONTAINERS,
            containers_text(web),
            reader=Reader(argv=("nft", "--check", "--file", "{candidate}")),
            on_change=(("nft", "--file", CONTAINERS),),
        ),
        File(
            unit,
            shipped(unit),
            reader=Reader(argv=("systemd-analyze", "verify", "--man=no", "{candidate}")),
            on_change=(("systemctl", "daemon-reload"),),
        ),
        Unit(SERVICE),
    ]


def containers_text(web: Sequence[Cidr]) -> str:
    """Who may reach the ports that the load balancer publishes; nobody reaches any other."""
    chosen = {f"http_from{version}": ", ".join(of_version(web, version)) for version in (4, 6)}
    return MANAGED + _template(CONTAINERS).substitute(chosen)


def ufw(settings: HostSettings, web: Sequence[Cidr]) -> list[Item]:
    files = {"/etc/default/ufw": "0644", "/etc/ufw/ufw.conf": "0644"}
    return [
        *(_guarded(path, shipped(path), mode) for path, mode in files.items()),
        _guarded("/etc/ufw/user.rules", ufw_text(settings, web, 4), "0640", reader="iptables-restore"),
        _guarded("/etc/ufw/user6.rules", ufw_text(settings, web, 6), "0640", reader="ip6tables-restore"),
        Unit("ufw.service", guarded=True, undo=UNDO_UFW),
    ]


def ufw_text(settings: HostSettings, web: Sequence[Cidr], version: int) -> str:
    """As ufw itself writes it, so that its commands work on it and `ufw status` explains it."""
    chain = {4: "ufw", 6: "ufw6"}[version]
    ssh = settings.ssh.allowed_addresses or EVERYONE
    rules = [
        *(_rule(chain, str(settings.ssh.port), each, "SSH") for each in of_version(ssh, version)),
        *(_rule(chain, HTTP_PORTS, each, "HTTP and HTTPS") for each in of_version(web, version)),
    ]
    return _template("/etc/ufw/user.rules").substitute(ufw=chain, rules="".join(rules))


def of_version(addresses: Iterable[Cidr], version: int) -> list[Cidr]:
    return [each for each in dict.fromkeys(addresses) if ip_network(each).version == version]


def _rule(chain: str, ports: str, source: Cidr, why: str) -> str:
    anywhere = EVERYONE[chain == "ufw6"]
    match = f"-m multiport --dports {ports}" if "," in ports else f"--dport {ports}"
    given = "" if source == anywhere else f" -s {source}"
    return (
        f"### tuple ### allow tcp {ports} {anywhere} any {source} in comment={why.encode().hex()}\n"
        f"-A {chain}-user-input -p tcp {match}{given} -j ACCEPT\n\n"
    )


def _guarded(path: str, content: str, mode: str, reader: str = "") -> File:
    return File(
        path,
        content,
        mode=mode,
        reader=Reader(argv=(reader, "--test", "--noflush", "{candidate}")) if reader else None,
        on_change=(RELOAD_UFW,),
        guarded=True,
        undo=UNDO_UFW,
    )


def _template(path: str) -> Template:
    """Rules are full of braces."""
    return Template((HERE / "templates" / path.lstrip("/")).read_text())
