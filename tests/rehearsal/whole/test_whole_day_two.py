"""Settings change and hands slip, while somebody keeps asking: nobody notices, and nothing else changes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from rehearsal.load import asking
from rehearsal.stackfile import laid_over
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]

CURRENT = f"{INSTALLED}/nginx/current"
CHANGED = {
    "neurmatic:site": {
        "limits": {"burst": 30},
        "headers": {"referrer_policy": "no-referrer"},
    },
    "neurmatic:edge": {"records": [{"name": "status", "type": "CNAME", "content": "page.statuspage.io"}]},
    "neurmatic:containers": {"redis": {"memory": "192MB"}},
}
# The whole of what these four change, by resource: the header is also one of Cloudflare's, the record is what was done.
TOUCHED = {"stack-nginx-configuration", "stack-redis", "stack-record", "edge-http-response-headers-transform"}
RECORD = "edge-cname-status"


@pytest.fixture
def settled(whole: WholeStack) -> Iterator[WholeStack]:
    """Whatever a test has set is taken back, so that the next one finds the stack as it was."""
    before = json.loads(json.dumps(whole.settings))
    yield whole
    whole.settings = before
    succeeded(whole.pulumi("up", "--yes", "--skip-preview"))


def test_a_limit_a_header_a_name_and_a_size_change_nothing_else(settled: WholeStack) -> None:
    before, ids = settled.containers().keys(), identities(settled)
    settled.settings = laid_over(settled.settings, CHANGED)
    with asking(settled.target(), "settings") as seen:
        plan = json.loads(settled.pulumi("preview", "--json").stdout)
        succeeded(settled.pulumi("up", "--yes", "--skip-preview"))
    assert not seen.failed, seen.failed
    assert settled.containers().keys() == before
    assert identities(settled) == ids
    steps = {each["urn"].rpartition("::")[2] for each in plan["steps"] if each["op"] not in ("same", "read")}
    assert {name for name in steps if not name.startswith(RECORD)} == TOUCHED, steps
    headers = settled.machine.ssh("curl -skI --resolve neurmatic.com:443:127.0.0.1 https://neurmatic.com/").stdout
    assert "referrer-policy: no-referrer" in headers.lower()
    assert "burst=30" in settled.machine.ssh(f"sudo cat {CURRENT}/*.conf").stdout
    memory = settled.machine.ssh("sudo docker inspect --format '{{.HostConfig.Memory}}' neurmatic-redis-production")
    assert memory.stdout.strip() == str(192 * 2**20)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_third_backend_comes_and_goes(settled: WholeStack) -> None:
    """With a pool of their own, so that those that run are left alone."""
    settled.settings = laid_over(settled.settings, {"neurmatic:containers": {"backend": {"pool": 10}}})
    succeeded(settled.pulumi("up", "--yes", "--skip-preview"))
    two = identities(settled)
    with asking(settled.target(), "three") as seen:
        succeeded(settled.infra("scale", "3", "--yes"))
    assert not seen.failed, seen.failed
    three = identities(settled)
    assert two.items() <= three.items()
    assert len(three) == len(two) + 1
    with asking(settled.target(), "two") as seen:
        succeeded(settled.infra("scale", "2", "--yes"))
    assert not seen.failed, seen.failed
    assert identities(settled) == two


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("verb", ["up", "deploy"])
def test_what_hands_have_changed_is_found_and_put_right(settled: WholeStack, verb: str) -> None:
    backends = sorted(name for name in settled.containers() if "-backend-" in name)
    (frontend,) = [name for name in settled.containers() if "-frontend-" in name]
    for script in (removed(backends[0]), remade(frontend), smaller("neurmatic-redis-production"), edited()):
        settled.machine.ssh(script)
    found = settled.infra("drift")
    assert found.returncode == 2, found.stdout + found.stderr
    assert f"{backends[0]}: is gone" in found.stdout
    assert f"{frontend}: is another container than `up` made" in found.stdout
    assert "neurmatic-redis-production: memory is" in found.stdout
    assert f"{CURRENT}: was changed by hand" in found.stdout

    version = str(settled.release["version"])
    put_right = ("up", "--yes", "--skip-preview") if verb == "up" else ("deploy", version, "--yes", "--without-backup")
    with asking(settled.target(), f"mended-by-{verb}") as seen:
        succeeded(settled.infra(*put_right))
    assert not seen.failed, seen.failed
    assert "a hand was here" not in settled.machine.ssh(f"sudo cat {CURRENT}/*.conf").stdout
    clean = settled.infra("drift")
    assert clean.returncode == 0, clean.stdout
    assert len(settled.containers()) == 6


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_backend_that_somebody_stopped_serves_again(settled: WholeStack) -> None:
    name = min(name for name in settled.containers() if "-backend-" in name)
    settled.machine.ssh(f"sudo docker stop {name}")
    assert f"{name}: state is exited" in settled.infra("drift").stdout
    succeeded(settled.infra("up", "--yes", "--skip-preview"))
    before = answered(settled, name)
    with asking(settled.target(), "stopped") as seen:
        while seen.total < 200:
            pass
    assert not seen.failed, seen.failed
    # Its health check asks a few times as well.
    assert answered(settled, name) > before + 50


def answered(whole: WholeStack, name: str) -> int:
    """Requests that a backend has answered, by its own count."""
    text = whole.machine.ssh(f"sudo docker exec {name} curl -s http://127.0.0.1:3000/api/v1/metrics").stdout
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("http_requests_total"))


def removed(name: str) -> str:
    return f"sudo docker rm --force {name}"


def remade(name: str) -> str:
    """By somebody who wanted one variable more: with its labels, without its health check."""
    each = "{{range $key, $value := .Config.Labels}}--label {{$key}}={{$value}} {{end}}"
    labels = f"$(sudo docker inspect --format '{each}' {name})"
    image = f"$(sudo docker inspect --format '{{{{.Image}}}}' {name})"
    run = f"sudo docker run --detach --name {name} --network neurmatic-network --env BY_HAND=1 --no-healthcheck"
    return f"labels={labels}; image={image}; sudo docker rm --force {name}; {run} $labels $image"


def smaller(name: str) -> str:
    return f"sudo docker update --memory 128m --memory-swap 128m {name}"


def edited() -> str:
    return f"echo '# a hand was here' | sudo tee --append {CURRENT}/nginx.conf"


def identities(whole: WholeStack) -> dict[str, str]:
    """One that was made anew has another."""
    listed = whole.machine.ssh("sudo docker ps --no-trunc --format '{{.Names}} {{.ID}}'").stdout
    return dict(line.split() for line in listed.splitlines())


def succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    told = done.stdout.partition("\nDiagnostics:\n")[2] or done.stdout
    assert done.returncode == 0, told[:3000] + done.stderr[-3000:]
    return done
