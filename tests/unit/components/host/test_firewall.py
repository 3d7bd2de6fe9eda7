"""What the firewall's files say, as text; that they hold is shown on a machine (tests/rehearsal/host)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import TypeAdapter

from components.edge.addresses import as_of, cloudflare_addresses
from components.host.config import HostSettings
from components.host.firewall import CONTAINERS, EVERYONE, SERVICE, containers_text, firewall_items, ufw_text
from components.host.items import File, Item, Live, Unit, from_data, to_data

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


def settings(**given: Any) -> HostSettings:
    ssh = {"host_key": KEY, **given.pop("ssh", {})}
    data = {"address": "vps.example", "ipv4": "192.0.2.10", "ssh": ssh, "deploy": {"keys": [KEY]}, **given}
    return TypeAdapter(HostSettings).validate_python(data)


def by_key(items: list[Item]) -> Mapping[str, Item]:
    found = {item.key: item for item in items}
    assert len(found) == len(items)
    return found


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if "-user-input " in line and line.startswith("-A")]


def sets(text: str) -> list[list[str]]:
    return [found.split(", ") for found in re.findall(r"elements = \{ (.*) \}", text)]


def test_cloudflare_publishes_ranges_of_both_kinds_without_overlap() -> None:
    networks = [ip_network(each) for each in cloudflare_addresses()]
    assert [sum(each.version == version for each in networks) for version in (4, 6)] == [15, 7]
    assert not any(
        one.overlaps(other)
        for one in networks
        for other in networks
        if one is not other and one.version == other.version
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", as_of())


def test_by_default_ssh_is_open_and_the_web_is_cloudflares() -> None:
    for version, chain, count in ((4, "ufw", 15), (6, "ufw6", 7)):
        found = rules(ufw_text(settings(), cloudflare_addresses(), version))
        assert found[0] == f"-A {chain}-user-input -p tcp --dport 22 -j ACCEPT"
        assert len(found) == 1 + count
        assert all(re.search(r"--dports 80,443 -s [0-9a-f.:]+/\d+ -j ACCEPT$", each) for each in found[1:])


def test_ssh_follows_its_port_and_its_list() -> None:
    given = settings(ssh={"port": 2222, "allowed_addresses": ["203.0.113.0/24", "2001:db8::/48"]})
    four, six = (rules(ufw_text(given, EVERYONE, version)) for version in (4, 6))
    assert four[0] == "-A ufw-user-input -p tcp --dport 2222 -s 203.0.113.0/24 -j ACCEPT"
    assert six[0] == "-A ufw6-user-input -p tcp --dport 2222 -s 2001:db8::/48 -j ACCEPT"
    only_four = settings(ssh={"allowed_addresses": ["203.0.113.7"]})
    assert not any("--dport 22" in each for each in rules(ufw_text(only_four, EVERYONE, 6)))


def test_every_rule_has_the_note_that_ufw_reads() -> None:
    text = ufw_text(settings(), EVERYONE, 4)
    notes = re.findall(r"^### tuple ### allow tcp (\S+) 0\.0\.0\.0/0 any (\S+) in comment=([0-9a-f]+)$", text, re.M)
    assert [(ports, source, bytes.fromhex(why).decode()) for ports, source, why in notes] == [
        ("22", "0.0.0.0/0", "SSH"),
        ("80,443", "0.0.0.0/0", "HTTP and HTTPS"),
    ]


def test_published_ports_are_cloudflares_and_everyones_only_when_told_so() -> None:
    shut = by_key(firewall_items(settings()))[f"file:{CONTAINERS}"]
    opened = by_key(firewall_items(settings(http_from="everyone")))[f"file:{CONTAINERS}"]
    assert isinstance(shut, File)
    assert shut.content
    assert isinstance(opened, File)
    assert opened.content
    assert [each for found in sets(shut.content) for each in found] == list(cloudflare_addresses())
    assert sets(opened.content) == [["0.0.0.0/0"], ["::/0"]]


def test_more_peers_are_let_in_on_top() -> None:
    found = sets(containers_text((*cloudflare_addresses(), "10.1.0.0/16")))
    assert found[0][-1] == "10.1.0.0/16"
    assert len(found[0]) == 16
    text = by_key(firewall_items(settings(), trusted=("10.1.0.0/16",)))["file:/etc/ufw/user.rules"]
    assert isinstance(text, File)
    assert "-s 10.1.0.0/16 " in str(text.content)


@pytest.mark.parametrize("line", ["policy drop;", "ct status dnat", 'iifname != "lo" ip daddr 127.0.0.0/8 drop'])
def test_what_closes_the_hole_is_there(line: str) -> None:
    assert line in containers_text(EVERYONE)


def test_what_could_lock_the_owner_out_is_read_first_and_taken_back() -> None:
    guarded = {key: item for key, item in by_key(firewall_items(settings())).items() if getattr(item, "guarded", False)}
    assert set(guarded) == {
        *("file:/etc/default/ufw", "file:/etc/ufw/ufw.conf", "file:/etc/ufw/user.rules", "file:/etc/ufw/user6.rules"),
        "unit:ufw.service",
        "live:firewall",
    }
    assert all(isinstance(item, File | Live | Unit) and item.undo for item in guarded.values())
    for name in ("user.rules", "user6.rules"):
        item = guarded[f"file:/etc/ufw/{name}"]
        assert isinstance(item, File)
        assert item.reader
        assert "--test" in item.reader.argv


def test_nothing_may_flush_the_rules_at_boot() -> None:
    items = by_key(firewall_items(settings()))
    rivals = [item for item in items.values() if isinstance(item, Unit) and item.enabled == "disabled"]
    assert "nftables.service" in {item.name for item in rivals}
    assert all(item.optional for item in rivals)
    assert items[f"unit:{SERVICE}"] == Unit(SERVICE)


def test_items_survive_the_way_to_the_server() -> None:
    items = firewall_items(settings())
    assert [from_data(to_data(item)) for item in items] == items
