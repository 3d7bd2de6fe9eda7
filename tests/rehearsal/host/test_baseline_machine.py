"""What others say about the hardened server: nothing that is not in baseline.yaml with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from baseline_file import changes, load
from items_of_cis import COUNT, script

from rehearsal.machine import Machine
from rehearsal.neighbours.siege import ADDRESSES, MACHINE, Siege, siege

pytestmark = pytest.mark.rehearsal

# It asks the archive for today's updates: the same server is another one tomorrow.
LYNIS_PROFILE = "skip-test=PKGS-7392\n"


@pytest.fixture(scope="module")
def scanned(hardened: Machine) -> Iterator[Siege]:
    with siege(hardened) as found:
        yield found


def test_lynis(hardened: Machine) -> None:
    hardened.ssh("sudo tee /etc/lynis/custom.prf >/dev/null", stdin=LYNIS_PROFILE)
    hardened.ssh("sudo lynis audit system --quick --quiet --no-colors", timeout=300, check=False)
    report = hardened.ssh("sudo cat /var/log/lynis-report.dat && sudo rm /etc/lynis/custom.prf").stdout
    said = [line.partition("=") for line in report.splitlines()]
    (score,) = [int(value) for name, _, value in said if name == "hardening_index"]
    found = {value.split("|")[0] for name, _, value in said if name in ("warning[]", "suggestion[]")}
    known = load("lynis")
    assert changes(found, known["exceptions"]) == []
    assert score >= known["score"]
    assert score < known["score"] + 2, f"lynis gives {score} now: write it to baseline.yaml, so that it stays"


def test_ssh_audit(hardened: Machine) -> None:
    # Its rate test asks for fewer than 20 new connections a second, and a deploy opens more (test_parallel_ssh).
    command = [sys.executable, "-m", "ssh_audit", "--skip-rate-test", "-jj", hardened.address]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout)
    found = [
        f"{kind} {each['algorithm']}: {note}"
        for kind in ("kex", "key", "enc", "mac")
        for each in said[kind]
        for level in ("fail", "warn")
        for note in each.get("notes", {}).get(level, [])
    ]
    assert len(said["kex"]) >= 3, "ssh-audit has seen nothing"
    assert changes([*found, *(each["name"] for each in said["cves"])], load("ssh-audit")["exceptions"]) == []


def test_items_of_cis_and_dev_sec(hardened: Machine) -> None:
    *said, end = hardened.ssh("sudo sh -s", stdin=script()).stdout.splitlines()
    assert end == "end"
    assert len(said) < COUNT / 2
    assert changes(said, load("items")["exceptions"]) == []


def test_a_scan_of_the_ports_from_every_neighbour(scanned: Siege) -> None:
    with ThreadPoolExecutor() as together:
        found = dict(zip(ADDRESSES, together.map(lambda who: open_to(scanned, who), ADDRESSES), strict=True))
    assert found == load("ports")["open"]


def open_to(scanned: Siege, who: str) -> list[str]:
    """All ports once; what is open to some and not to others has a low number."""
    ports = "1-65535" if who == "visitor" else "1-10000"
    words = [word for address in MACHINE for word in (str(address), ports)]
    found = scanned.knock(who, *words, seconds=0.3)
    return sorted(f"{6 if ':' in address else 4}:{port}" for address, port in found)


def test_the_file_can_only_get_shorter() -> None:
    known = {"A": "because", "B": ""}
    assert changes(["A", "B"], {"A": "because", "B": "too"}) == []
    assert [line.split(":")[0] for line in changes(["A", "C"], known)] == ["C", "B", "B"]
