"""The origin's certificate on a server: a real certbot, a real authority, a real nginx that keeps answering."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from certificate_pairs import by_cloudflare, other
from certificate_stage import API, PACKAGES, SCRIPTS, SITE, TLS, Stage, asking, stage

from components.certificates.items import items
from rehearsal.machine import Machine

pytestmark = [pytest.mark.rehearsal, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(boot: Callable[..., Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    machine = boot("certificates", memory_mb=1536, packages=PACKAGES)
    with stage(machine, tmp_path_factory.mktemp("certificates")) as built:
        yield built


@pytest.fixture
def issued(server: Stage) -> Stage:
    """Whatever another test has left: issued by HTTP-01 and served."""
    server.subject = replace(server.subject, names=SITE.names)
    server.converge()
    done = server.up()
    assert (done.returncode, done.stderr) == (0, "")
    assert server.status()["issuer"].startswith("CN=Pebble Intermediate")
    return server


def test_from_self_signed_to_issued_and_renewed_and_nobody_notices(server: Stage) -> None:
    start = server.status()
    assert (start["self_signed"], start["names"]) == (True, list(SITE.names))
    container = server.container()
    with asking(server) as seen:
        first = server.up()
        assert (first.returncode, first.stderr) == (0, "")
        assert "certbot is asked: there is none yet." in first.stdout
        status = server.status()
        assert (status["self_signed"], sorted(status["names"])) == (False, sorted(SITE.names))
        server.have(*other())
        assert server.install().returncode == 0
        assert server.status()["days_left"] in (6, 7)
        assert server.timer().returncode == 0
        assert server.status()["days_left"] > 60
    assert "it ends in" in server.journal()
    assert set(seen.answers) == {301}
    assert seen.answers.total() > 100
    assert seen.closed < 20, "idle connections of four clients in three reloads"
    assert not seen.failed
    assert server.served() == server.on_disk()
    assert server.container() == container
    assert server.root(f"stat -L -c '%a %u' {TLS}/privkey.pem") == "400 101\n"
    again = server.up()
    assert (again.stdout, again.stderr) == ("", "")


def test_another_name_and_another_way_are_one_up_each(issued: Stage) -> None:
    """The zone is Cloudflare's API; only a name server of it could have answered the authority."""
    issued.subject = replace(issued.subject, names=(*SITE.names, "shop.neurmatic.com"))
    issued.converge(issuer="lets_encrypt_dns01")
    issued.proofs.clear()
    container = issued.container()
    with asking(issued) as seen:
        done = issued.up()
    assert (done.returncode, done.stderr) == (0, "")
    assert "it is not for shop.neurmatic.com" in done.stdout
    assert issued.proofs == {f"_acme-challenge.{name}" for name in (*SITE.names, "shop.neurmatic.com")}
    assert not [each for each in issued.clouds.zone(issued.subject.zone_id)["records"] if each["type"] == "TXT"]
    assert "shop.neurmatic.com" in issued.status()["names"]
    assert not seen.failed
    assert issued.container() == container


def test_a_token_without_the_right_gets_a_sentence(issued: Stage) -> None:
    issued.machine.ssh(f"sudo install -m 0400 /dev/stdin {issued.subject.token}", stdin="x" * 40)
    issued.converge(issuer="lets_encrypt_dns01")
    done = issued.up()
    issued.machine.ssh(f"sudo install -m 0400 /dev/stdin {issued.subject.token}", stdin=issued.clouds.cloudflare_token)
    assert done.returncode == 0
    assert ": Cloudflare refuses to change _acme-challenge." in done.stderr, done.stderr
    assert "neurmatic.com with 403: Invalid access token (9109)." in done.stderr


def test_an_absent_authority_is_a_warning_first_and_an_alarm_later(issued: Stage) -> None:
    before = issued.served()
    issued.root(
        f"install -m 0755 /dev/stdin {SCRIPTS}/notify <<'END'\n#!/bin/sh\necho \"$*\" >>/var/lib/neurmatic/told\nEND\n"
    )
    issued.converge(directory="https://acme.rehearsal.test:1/dir")
    done = issued.up()
    assert done.returncode == 0
    assert done.stderr.startswith("WARNING: https://acme.rehearsal.test:1/dir has given no certificate for neurm")
    assert "it cannot be reached from this server. nginx serves on with the certificate before" in done.stderr
    assert "The next try is in 10 minutes at the earliest" in done.stderr
    assert issued.timer().returncode == 0, "it has just been tried, so the timer waits"
    issued.root("rm /var/lib/neurmatic/certificate.json")
    assert issued.timer().returncode != 0
    assert "has given no certificate" in issued.journal()
    issued.converge()
    assert issued.up().returncode == 0
    told = issued.root(f"cd /var/lib/neurmatic; cat told; rm told {SCRIPTS}/notify").splitlines()
    assert told == ["--severity warning --key certificate The origin's certificate needs attention"]
    assert issued.served() == before


def test_what_is_broken_is_refused_and_the_one_before_serves(issued: Stage) -> None:
    before = issued.served()
    chain, key = other()
    leaf = "".join(chain.partition("-----END CERTIFICATE-----\n")[:2])
    stranger = other()[0].partition("-----END CERTIFICATE-----\n")[2]
    refusals = {
        "nginx refuses the new certificate": other(weak=True),
        "the key belongs to another certificate": (chain, other()[1]),
        "the chain lacks the certificate of its issuer": (leaf, key),
        "the chain is broken": (leaf + stranger, key),
        "the certificate cannot be read": ("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n", key),
    }
    for sentence, pair in refusals.items():
        issued.have(*pair)
        done = issued.install()
        assert done.returncode == 1, sentence
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert issued.served() == before
        assert issued.fits()
    with asking(issued) as seen:
        assert issued.timer().returncode == 0, issued.journal()
    assert not seen.failed
    assert issued.served() not in (before, chain)


def test_killed_at_any_moment_it_leaves_a_pair_and_the_next_run_completes(issued: Stage) -> None:
    with asking(issued, clients=2) as seen:
        for moment in (0.3, 0.9, 1.5):
            issued.have(*other())
            issued.root(f"timeout -s KILL {moment} {SCRIPTS}/certificate install || true")
            assert issued.fits(), moment
            assert issued.install().returncode == 0
            assert issued.served() == issued.on_disk()
            assert issued.status()["days_left"] in (6, 7)
        left = issued.root(f"ls -A {TLS}").split()
    assert sorted(left) == ["current", "fullchain.pem", "generations", "privkey.pem"]
    assert len(issued.root(f"ls {TLS}/generations").split()) == 2
    assert not seen.failed


def test_cloudflare_signs_and_nobody_has_to_be_asked(issued: Stage) -> None:
    issued.machine.ssh(f"sudo install -m 0400 /dev/stdin {issued.subject.origin}", stdin=by_cloudflare(issued.clouds))
    issued.converge(issuer="cloudflare_origin")
    with asking(issued) as seen:
        done = issued.up()
        assert (done.returncode, done.stderr) == (0, "")
        assert issued.served() == issued.on_disk()
        status = issued.status()
        issued.converge()
        assert issued.up().returncode == 0
    assert status["issuer"].startswith("CN=Rehearsal Origin CA")
    assert status["days_left"] > 5000
    assert not seen.failed
    assert issued.status()["issuer"].startswith("CN=Pebble")


def test_the_status_says_when_there_is_nothing_to_read(issued: Stage) -> None:
    done = issued.machine.ssh(f"sudo mv {TLS}/current {TLS}/away; {SCRIPTS}/certificate-status", check=False)
    issued.root(f"mv {TLS}/away {TLS}/current")
    assert done.returncode == 1
    assert json.loads(done.stdout)["names"] == []
    assert "cannot be read" in done.stderr
    assert API in issued.status()["names"]


def test_the_timer_is_random_and_waits_for_its_turn(issued: Stage) -> None:
    issued.apply(items(issued.subject))
    shown = issued.root("systemctl show -p RandomizedDelayUSec -p UnitFileState neurmatic-certificate.timer")
    assert "RandomizedDelayUSec=10min" in shown
    assert "UnitFileState=enabled" in shown
    verified = subprocess.run(
        issued.machine.ssh_command("sudo systemd-analyze verify neurmatic-certificate.service"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "neurmatic" not in verified.stderr
    assert issued.root("systemctl is-active neurmatic-certificate.timer") == "active\n"
    assert issued.root("systemctl is-enabled certbot.timer || true") == "disabled\n"
