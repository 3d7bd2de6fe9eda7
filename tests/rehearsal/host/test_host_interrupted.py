"""A server that runs something already, converges that are killed, changes of access that would lock the owner out."""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from drifts import rounds
from host_stage import IMAGE, HostStage

from components.host import remote
from components.host.access import SSHD_DROP_IN
from components.host.desired import desired_state
from components.host.items import Desired, File, Item
from components.host.report import EXTRA, FAILED
from rehearsal.docker import docker
from rehearsal.machine import Machine
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal
SEED = 20261121
KILLS = 3
# The script and whatever it has started: apt, dpkg and systemctl die with it.
KILL = "for p in $(pgrep -f 'sys.stdin.readline.. apply'); do pkill -9 -g $(ps -o pgid= -p $p | tr -d ' '); done; true"
WEB = "import http.server as h;h.HTTPServer(('0.0.0.0',80),h.SimpleHTTPRequestHandler).serve_forever()"
FOREIGN = f"""
useradd --create-home --shell /bin/bash colleague
install -d /mnt/data/postgres && echo precious > /mnt/data/postgres/PG_VERSION
systemd-run --quiet --unit=web python3 -c "{WEB}"
echo '{{"log-driver": "journald"}}' > /etc/docker/daemon.json
systemctl restart docker
mkdir /tmp/tiny && cp /bin/busybox /tmp/tiny/ && tar -C /tmp/tiny -c . | docker import - tiny
docker create --name neurmatic-backend-1 tiny /busybox true
iptables -A INPUT -p tcp --dport 9999 -j ACCEPT
"""


@pytest.fixture(scope="module")
def stage(boot: Callable[..., Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStage]:
    made = HostStage(boot("interrupted", packages=IMAGE), tmp_path_factory.mktemp("host"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def adopted(stage: HostStage) -> HostStage:
    """Taken over after it has been said what is there."""
    stage.root(FOREIGN)
    before = stage.root("iptables -S; dpkg -l | wc -l; ls -R /etc | md5sum")
    stage.given = {"adopt": False}
    refused = stage.apply()
    assert [line.item for line in refused.of(FAILED)] == ["found:"]
    said = {line.item for line in refused.of(EXTRA)}
    assert said == {
        "found:port:80/tcp",
        "found:container:neurmatic-backend-1",
        "found:data:/mnt/data/postgres",
        "found:firewall:iptables",
        "found:account:colleague",
        "found:file:/etc/docker/daemon.json",
    }
    assert stage.root("iptables -S; dpkg -l | wc -l; ls -R /etc | md5sum") == before, "it was only looked at"
    assert {line.item for line in stage.check().of(EXTRA)} == said, "a check says the same"
    stage.root("systemctl stop web")
    stage.given = {"adopt": True}
    return stage


def test_a_take_over_keeps_what_is_not_in_the_way(adopted: HostStage) -> None:
    done = adopted.apply()
    assert not done.of(FAILED), done.of(FAILED)
    assert adopted.root("cat /mnt/data/postgres/PG_VERSION") == "precious\n"
    assert "neurmatic-backend-1" in adopted.root("docker ps --all")
    assert "colleague" in adopted.root("getent passwd colleague")
    assert "--dport 9999" not in adopted.root("iptables -S")
    assert not adopted.check().drift, adopted.check().drift


def test_a_killed_converge_is_completed_by_the_next(adopted: HostStage) -> None:
    """Each time there is work of every kind to do, and packages among it."""
    dice = random.Random(SEED)  # noqa: S311 (no secret)
    items: list[Item] = [
        item for item in desired_state(adopted.settings).items if item.kind in ("file", "keys", "group", "unit", "user")
    ]
    made = rounds(items, adopted.machine.user, SEED, KILLS)
    moments = []
    for drifts in made:
        script = "\n".join(f"( {each.command} ) >/dev/null 2>&1 || true" for each in drifts)
        adopted.root(f"{script}\nDEBIAN_FRONTEND=noninteractive apt-get -q -y remove wget >/dev/null")
        moments.append(killed_after(adopted, dice.uniform(0.2, 5.0)))
        done = adopted.apply()
        assert not done.of(FAILED), (moments, done.of(FAILED))
        left = adopted.check()
        assert not left.drift, (moments, left.drift)
    assert sum(moments) >= 3, "most of them were killed in the middle"


def killed_after(stage: HostStage, seconds: float) -> bool:
    command, stdin = remote.apply_command(stage.settings)
    with subprocess.Popen(
        stage.machine.ssh_command(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdin
        run.stdin.write(stdin)
        run.stdin.close()
        time.sleep(seconds)
        cut = run.poll() is None
        # Not over SSH: a converge that is killed may just be restarting sshd.
        docker_exec(stage, KILL)
        run.wait(timeout=240)
    return cut


def docker_exec(stage: HostStage, script: str) -> str:
    return docker("exec", "--interactive", stage.machine.record.container, "sh", "-s", stdin=script.encode())


def nobody(text: str) -> str:
    """sshd reads it without a complaint."""
    return re.sub("AllowUsers .*", "AllowUsers x-nobody", text)


def changed(desired: Desired, path: str, change: Callable[[str], str]) -> Desired:
    """The same server, except for the text of one file."""
    items = [
        replace(item, content=change(item.content or "")) if isinstance(item, File) and item.path == path else item
        for item in desired.items
    ]
    assert items != list(desired.items)
    return replace(desired, items=tuple(items), second_login=second_login())


def second_login() -> int:
    """Seconds until it is taken back: on a busy machine more are needed to see that nobody is let in."""
    return round(allowed(5))


def test_what_sshd_does_not_read_never_lands(adopted: HostStage) -> None:
    adopted.apply()
    before = adopted.root(f"cat {SSHD_DROP_IN}")
    wrong = changed(desired_state(adopted.settings), SSHD_DROP_IN, lambda text: text + "NoSuchWord yes\n")
    found = adopted.apply_as(wrong)
    (failed,) = found.of(FAILED)
    assert failed.name == SSHD_DROP_IN
    assert "NoSuchWord" in failed.reason
    assert (found.confirm, adopted.root(f"cat {SSHD_DROP_IN}")) == ("", before)


def refused(stage: HostStage) -> bool:
    words = [*stage.machine.ssh_command("true")]
    words[1:1] = ["-o", f"ConnectTimeout={round(allowed(1))}"]
    return subprocess.run(words, capture_output=True, check=False, timeout=120).returncode != 0


def wait_for_login(stage: HostStage, seconds: float = 240) -> None:
    """Until the server has let its owner in, and has pardoned the tries for which fail2ban was late."""
    end = time.monotonic() + seconds
    while refused(stage) or running(stage, "infra-rollback-*.service"):
        assert time.monotonic() < end, "the owner is locked out"
        time.sleep(0.5)


def running(stage: HostStage, units: str) -> bool:
    return docker_exec(stage, f"systemctl list-units --plain --no-legend '{units}'") != ""


def test_an_sshd_that_lets_nobody_in_is_taken_back(adopted: HostStage) -> None:
    wrong = changed(desired_state(adopted.settings), SSHD_DROP_IN, nobody)
    found = adopted.apply_as(wrong)
    assert found.confirm
    assert refused(adopted), "this sshd still lets somebody in, so that this proves nothing"
    wait_for_login(adopted)
    assert adopted.check().of(FAILED)[0].item == "guard:access", "and it is said"
    with pytest.raises(Exception, match="taken back"):
        adopted.confirm(found.confirm)
    assert not adopted.apply().of(FAILED)
    assert not adopted.check().drift


def test_a_firewall_that_shuts_ssh_out_is_taken_back(adopted: HostStage) -> None:
    ssh = {**adopted.data["ssh"], "allowed_addresses": ["192.0.2.1"]}
    adopted.given = {"adopt": True, "ssh": ssh}
    wrong = replace(desired_state(adopted.settings), second_login=second_login())
    adopted.given = {"adopt": True}
    adopted.apply_as(wrong)
    assert refused(adopted), "the wrong rules shut nobody out, so that this proves nothing"
    wait_for_login(adopted)
    assert not adopted.apply().of(FAILED)
    assert not adopted.check().drift


def test_a_restart_before_the_second_login_takes_it_back(adopted: HostStage) -> None:
    desired = desired_state(adopted.settings)
    wrong = changed(desired, SSHD_DROP_IN, nobody)
    adopted.apply_as(replace(wrong, second_login=600))
    adopted.stop_and_start()
    wait_for_login(adopted)
    assert not adopted.apply().of(FAILED)
    assert not adopted.check().drift
