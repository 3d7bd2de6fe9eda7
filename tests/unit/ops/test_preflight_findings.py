"""What the preflight makes of a server's answers: facts that differ from a good server's in one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from components.containers.config import ContainersSettings
from components.host.config import HostSettings
from ops.errors import OperatorError
from ops.preflight import as_text
from ops.preflight.facts import Facts, parse
from ops.preflight.findings import FREE_MB, Finding, Wanted, findings

NOW = 1_790_000_000.0
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
# As probe.sh says it on a VPS of the size that the settings' defaults describe.
GOOD = {
    "system": ["ubuntu 22.04"],
    "system_name": ["Ubuntu 22.04.5 LTS"],
    "architecture": ["x86_64"],
    "clock": [f"{NOW:.0f}"],
    "sudo": ["yes"],
    "systemd": ["yes"],
    "cpus": ["4"],
    "memory_kb": ["16370000"],
    "disk": ["/ 197000 150000 /", "/var/lib/docker 197000 150000 /", "/mnt/data 197000 150000 /"],
    "inodes": ["/ 13107200 12000000"],
    "listener": [
        '0.0.0.0:22 users:(("sshd",pid=71,fd=3))',
        '127.0.0.53%lo:53 users:(("systemd-resolve",pid=60,fd=14))',
    ],
    "address": ["192.0.2.10"],
    "end": ["yes"],
}


def answer(**changed: list[str]) -> str:
    return "".join(f"{name}\t{value}\n" for name, values in {**GOOD, **changed}.items() for value in values)


def held(place: str, program: str) -> list[str]:
    return [f'{place} users:(("{program}",pid=9,fd=3))']


def host(**given: Any) -> HostSettings:
    data = {
        "address": "vps.example",
        "ipv4": "192.0.2.10",
        "ssh": {"host_key": KEY},
        "deploy": {"keys": [KEY]},
        **given,
    }
    return TypeAdapter(HostSettings).validate_python(data)


def containers(**given: Any) -> ContainersSettings:
    data = {"postgres": {"database": "d", "user": "u"}, **given}
    return TypeAdapter(ContainersSettings).validate_python(data)


def found(facts: Facts, **given: Any) -> list[Finding]:
    return findings(facts, Wanted(host(**given), containers(), NOW))


def test_a_server_as_ordered_is_ready() -> None:
    assert found(parse(answer())) == []


@pytest.mark.parametrize(
    ("check", "words", "changed"),
    [
        ("sudo", "may not use sudo without a password", {"sudo": ["no"]}),
        ("system", "runs Fedora 41", {"system": ["fedora 41"], "system_name": ["Fedora 41"]}),
        ("system", "not started by systemd", {"systemd": ["no"]}),
        ("architecture", "processor is aarch64", {"architecture": ["aarch64"]}),
        ("cpu", "has 3 CPUs, host.capacity.cpus says 4", {"cpus": ["3"]}),
        ("cpu", "has 2.5 CPUs, host.capacity.cpus says 4", {"cpu_quota": ["250000 100000"]}),
        ("memory", "host.capacity.memory says 16GB", {"memory_kb": ["12000000"]}),
        ("memory", "has 4GB of memory", {"memory_limit": ["4294967296"]}),
        ("space", "free on / ", {"disk": [f"/ 197000 {FREE_MB - 1} /"]}),
        ("space", "free on /mnt/data ", {"disk": ["/ 197000 99000 /", "/mnt/data 197000 100 /mnt/data"]}),
        ("space", "host.capacity.disk says 200GB", {"disk": ["/ 100000 90000 /"]}),
        ("space", "3% of the inodes", {"inodes": ["/ 1000000 30000"]}),
        ("space", "read-only", {"root_readonly": ["yes"]}),
        ("ports", "held by apache2 (process 9)", {"listener": held("*:443", "apache2")}),
        ("ports", "5432, which PostgreSQL needs, is held", {"listener": held("127.0.0.1:5432", "postgres")}),
        ("ports", "could not be named", {"listener": ["[::]:6379 "]}),
        ("ports", "container shop", {"listener": held("*:80", "dockerd"), "container": ["shop *:80->80/tcp"]}),
        ("packages", "docker-ce", {"package": ["docker-ce installed", "containerd.io not-installed"]}),
        ("packages", "dpkg --configure -a", {"half_installed": ["The following packages are only half configured"]}),
        ("clock", "120 s behind", {"clock": [f"{NOW - 120:.0f}"]}),
    ],
)  # fmt: skip
def test_what_differs_is_found_with_what_to_do(check: str, words: str, changed: dict[str, list[str]]) -> None:
    all_found = [each for each in found(parse(answer(**changed))) if each.blocks]
    hits = [each for each in all_found if each.check == check and words in each.text]
    assert len(hits) == 1, all_found
    assert {each.check for each in all_found} == {check}
    assert hits[0].text.endswith(".")
    assert "\n" not in hits[0].text


def test_everything_is_said_at_once() -> None:
    changed = {"sudo": ["no"], "system": ["fedora 41"], "architecture": ["aarch64"], "cpus": ["1"], "clock": ["0"]}
    kinds = {each.check for each in found(parse(answer(**changed)))}
    assert kinds == {"sudo", "system", "architecture", "cpu", "clock"}


def test_containers_that_do_not_fit_the_real_machine_are_named() -> None:
    text = [each.text for each in found(parse(answer(cpus=["2"], memory_kb=["4000000"])))]
    assert any("containers.postgres.cpus is 4 and the server has 2" in each for each in text)
    assert any("may use" in each and "during a deploy" in each for each in text)


def test_the_stack_that_already_runs_is_not_in_its_own_way() -> None:
    listener = ['0.0.0.0:443 users:(("docker-proxy",pid=9,fd=3))', '127.0.0.1:5432 users:(("dockerd",pid=9,fd=3))']
    own = ["neurmatic-nginx-production 0.0.0.0:443->443/tcp", "neurmatic-postgres-production 127.0.0.1:5432->5432/tcp"]
    assert found(parse(answer(listener=listener, container=own))) == []
    other = [own[0], "shop-db 127.0.0.1:5432->5432/tcp"]
    assert ["shop-db" in each.text for each in found(parse(answer(listener=listener, container=other)))] == [True]


def test_port_8443_is_not_port_443() -> None:
    assert found(parse(answer(listener=['0.0.0.0:8443 users:(("x",pid=9,fd=3))']))) == []


def test_the_hosts_own_nginx_blocks_only_where_nothing_may_be_taken_over() -> None:
    facts = parse(answer(listener=['0.0.0.0:80 users:(("nginx",pid=7,fd=6))', '[::]:80 users:(("nginx",pid=7,fd=7))']))
    assert [each.blocks for each in found(facts, adopt=True)] == [False]
    assert [each.blocks for each in found(facts, adopt=False)] == [True]


def test_another_public_address_is_a_note() -> None:
    assert [each.blocks for each in found(replace(parse(answer()), addresses=("10.0.0.4",)))] == [False]


def test_half_an_answer_is_refused() -> None:
    with pytest.raises(OperatorError, match="run it again"):
        parse(answer().removesuffix("end\tyes\n"))


def test_notes_come_last_and_are_not_counted() -> None:
    text = as_text(host(), [Finding("a", "Note.", blocks=False), Finding("b", "Stop.")])
    assert text.splitlines() == ["Stop.", "note: Note.", "vps.example: 1 thing stands in the way."]
