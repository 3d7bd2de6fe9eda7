"""The script that changes what nginx serves, on a real nginx with real containers, while somebody keeps asking."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nginx_stage import API, FENCE, SITE, database, environment, on

from components.containers.balancer import LOADER, SPARE_BACKENDS, SPARE_FRONTENDS, told
from components.containers.config import NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.images.throwaway import network as own_network
from rehearsal.load import Target, asking
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal
COMMAND = [sys.executable, "-I", "-c", LOADER]
SPARES = ([SPARE_BACKENDS], [SPARE_FRONTENDS])
NOBODY = Serving([], [], *SPARES)
OF_BEFORE = {"version": "1.4.2", "backend": "backend@sha256:1", "frontend": "frontend@sha256:1"}


@dataclass
class Host:
    """What the script finds on a server: a folder, an engine, and an nginx once it was started."""

    root: Path
    network: str
    stack: ExitStack
    nginx: Container | None = None
    patience: float = field(default_factory=lambda: round(allowed(30)))
    release_now: dict[str, str] = field(default_factory=lambda: dict(OF_BEFORE))

    @property
    def name(self) -> str:
        return f"{self.network}-nginx"

    def real(self, name: str) -> str:
        """Another run beside this one has containers of its own."""
        return f"{name}-{self.network.rpartition('-')[2]}"

    def plain(self, text: str) -> str:
        return text.replace(self.real(""), "")

    def wanted(self, action: str, *names: str, soak: float = 0, serving: Serving | None = None) -> dict[str, Any]:
        backends = [self.real(name) for name in names]
        gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", self.network)
        settings = NginxSettings(at_least="1.22.1")
        origin = Origin(SITE, settings, [f"{gateway}/32"], None, 3)
        files = configuration(origin, serving or Serving(backends, [], *SPARES))
        place = {"root": str(self.root), "network": self.network, "container": self.name}
        nginx = {"image": ensure_image("nginx").tag, "user": "101:101", "names": SITE.names, "drain": 3}
        kinds = {"backends": {"port": 3000, "health": HEALTH, "smoke": ["/api/v1/users/me"]}}
        gates = {"host": API, "within": self.patience, "soak": soak, "error_share": 0.05, "kinds": kinds, "labels": {}}
        known = {"files": files, "backends": backends, "frontends": [], "release": self.release_now}
        return {"action": action, **known, **gates, **place, **nginx}

    def say(self, wanted: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(COMMAND, input=told(wanted), capture_output=True, text=True, check=False)
        return subprocess.CompletedProcess(COMMAND, done.returncode, self.plain(done.stdout), self.plain(done.stderr))

    def begin(self, wanted: dict[str, Any]) -> subprocess.Popen[str]:
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdin
        process.stdin.write(told(wanted))
        process.stdin.close()
        return process

    def history(self) -> list[str]:
        return [json.loads(line)["version"] for line in (self.root / "releases.jsonl").read_text().splitlines()]

    def leads_to(self, name: str) -> bool:
        return self.real(name) in (self.root / "current" / "upstreams.conf").read_text()

    def there(self, name: str) -> bool:
        return bool(docker("ps", "--all", "--quiet", "--filter", f"name=^{self.real(name)}$"))

    def stop(self, *names: str) -> None:
        docker("stop", "--time", "60", *(self.real(name) for name in names))

    def start(self) -> None:
        user = ["--user", "101:101", "--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/var/run:uid=101"]
        place = ["--name", self.name, *on(self.network, "nginx"), "--volume", f"{self.root}:/etc/stack:ro"]
        command = ["nginx", "-c", "/etc/stack/current/nginx.conf", "-g", "daemon off;"]
        flags = [*FENCE, *user, *place, "--publish", "127.0.0.1::443"]
        self.nginx = self.stack.enter_context(throwaway(ensure_image("nginx").tag, *command, flags=flags))

    def release(self, version: str, *names: str, ready: bool = True, **faults: str) -> Container:
        tag = ensure_image(backend(version, faults)).tag
        made = []
        for name in map(self.real, names):
            flags = [
                "--name",
                name,
                "--memory",
                "256m",
                "--restart",
                "unless-stopped",
                *FENCE,
                *on(self.network, name),
                *environment(),
            ]
            made.append(self.stack.enter_context(throwaway(tag, flags=flags)))
        for container in made if ready else []:
            container.wait_until(partial(is_ready, container), "it is ready")
        return made[0]

    @property
    def target(self) -> Target:
        assert self.nginx
        chain = (self.root / "tls" / "fullchain.pem").read_text()
        return Target("127.0.0.1", self.nginx.published(443), API, chain)


HEALTH = "/api/v1/health/ready"


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


@contextmanager
def killed_when(happened: Callable[[], bool], name: str) -> Iterator[None]:
    """It has answered before it dies, however slow this machine is."""
    with ThreadPoolExecutor() as beside:
        killing = beside.submit(lambda: (until(happened), docker("kill", name)))
        yield
        killing.result()


def is_ready(container: Container) -> bool:
    return "true" in container.run("curl", "-sf", f"http://127.0.0.1:3000{HEALTH}")


@pytest.fixture
def host(engine: str, tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        network = stack.enter_context(own_network())
        database(stack, network)
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        yield Host(tmp_path / "nginx", network, stack)


def test_releases_come_and_go_and_nobody_notices(host: Host) -> None:
    assert host.say(host.wanted("prepare", serving=NOBODY)).stderr == ""
    host.start()
    host.release("1.4.2", "old-1", "old-2")
    first = host.say(host.wanted("switch", "old-1", "old-2"))
    assert (first.returncode, first.stdout) == (0, "serving: old-1 old-2\n"), first.stderr

    with asking(host.target) as seen:
        until(lambda: seen.answers["1.4.2"] > 50)
        host.release("1.4.3", "new-1", "new-2")
        host.release_now["version"] = "1.4.3"
        second = host.say(host.wanted("switch", "new-1", "new-2", soak=2))
        host.stop("old-1", "old-2")
        until(lambda: seen.answers["1.4.3"] > 50)
        host.release("1.4.4", "worse-1")
        host.release_now["version"] = "1.4.4"
        with killed_when(lambda: seen.answers["1.4.4"] > 0, host.real("worse-1")):
            third = host.say(host.wanted("switch", "worse-1", soak=120))
        answered = seen.answers["1.4.3"]
        until(lambda: seen.answers["1.4.3"] > answered + 50)
    assert second.returncode == 0, second.stderr
    assert third.returncode == 1
    assert third.stderr.startswith(("Gate soak: worse-1 has died", "Gate soak: worse-1 is exited")), third.stderr
    assert "its log" in third.stderr
    assert not host.there("worse-1")
    assert not seen.failed
    serving = json.loads(host.plain((host.root / "current" / "serving.json").read_text()))
    assert serving["sets"] == {"backends": ["new-1", "new-2"], "frontends": []}
    assert host.history() == ["1.4.2", "1.4.3"]


def test_refused_killed_or_doubled_it_leaves_what_serves_alone(host: Host) -> None:
    host.say(host.wanted("prepare", serving=NOBODY))
    host.start()
    host.release("1.4.2", "old-1")
    host.say(host.wanted("switch", "old-1"))
    with asking(host.target) as seen:
        gone = host.say(host.wanted("switch", "no-such-1"))
        wrong = host.wanted("prepare", serving=NOBODY)
        wrong["files"]["nginx.conf"] = wrong["files"]["nginx.conf"].replace("sendfile on", "sendfile maybe")
        refused = host.say(wrong)
        host.release("1.4.3", "new-1")
        killed = host.begin(host.wanted("switch", "new-1", soak=60))
        until(lambda: host.leads_to("new-1"))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        both = [host.begin(host.wanted("switch", "new-1", soak=1)) for _ in range(2)]
        assert [process.wait(240) for process in both] == [0, 0]
        host.stop("old-1")
        answered = seen.total
        until(lambda: seen.total > answered + 50)
    assert (gone.returncode, refused.returncode) == (1, 1)
    assert gone.stderr.startswith("Gate start: no-such-1 is gone")
    assert "Gate switch: nginx refuses the new configuration; nothing was changed." in refused.stderr
    assert "sendfile" in refused.stderr
    assert seen.answers["1.4.3"] > 10
    assert not seen.failed


BAD = {
    "crash": ({"FAULT_CRASH_AT_START": "1"}, "Gate health: bad-1 has died", "crashes at start on demand"),
    "variable": ({"FAULT_REQUIRES": "STRIPE_KEY"}, "Gate health: bad-1 has died", "STRIPE_KEY"),
    "memory": ({"FAULT_MEMORY_MB": "400"}, "Gate health: bad-1 has died", "out of memory"),
    "port": ({"FAULT_PORT": "3001"}, "Gate health: bad-1 is not healthy after {} s", "connection refused"),
    "unhealthy": (
        {"FAULT_UNHEALTHY": "1"},
        "Gate health: bad-1 is not healthy after {} s",
        f"{HEALTH} on port 3000: 503",
    ),
    "errors": ({"FAULT_ERROR_RATE": "0.25"}, "Gate smoke: bad-1 answers /api/v1/users/me: 500", "its log"),
}


def test_a_set_that_does_not_pass_is_gone_and_was_never_asked(host: Host) -> None:
    """Six ways to be bad before anybody is sent there; each says which gate it was, and the last lines of the log."""
    host.say(host.wanted("prepare", serving=NOBODY))
    host.start()
    host.release("1.4.2", "old-1")
    host.say(host.wanted("switch", "old-1"))
    before = (host.root / "current").lstat()
    for name, (fault, gate, word) in BAD.items():
        # A port that nobody listens on needs no time to become right.
        host.patience = 12 if name == "port" else min(round(allowed(12)), 40)
        host.release("1.4.3", "bad-1", ready=False, **fault)
        done = host.say(host.wanted("switch", "bad-1", soak=1))
        assert done.returncode == 1
        assert done.stderr.startswith(gate.format(host.patience)), done.stderr
        assert word in done.stderr, done.stderr
        assert not host.there("bad-1")
    # nginx was never told of them: the link to what is in force is the same one, and not one that was put back.
    after = (host.root / "current").lstat()
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    assert host.history() == ["1.4.2"]


def test_a_change_under_way_is_stopped_and_what_serves_is_told(host: Host) -> None:
    host.say(host.wanted("prepare", serving=NOBODY))
    host.start()
    host.release("1.4.2", "old-1")
    host.say(host.wanted("switch", "old-1"))
    host.release("1.4.3", "new-1")
    under_way = host.begin(host.wanted("switch", "new-1", soak=120))
    until(lambda: host.leads_to("new-1"))
    settled = host.say({"action": "settle", "root": str(host.root), "labels": {}})
    assert under_way.wait(120) == 1
    assert under_way.stderr
    assert under_way.stderr.read().startswith("Gate stop: ")
    assert json.loads(settled.stdout)["sets"]["backends"] == ["old-1"]
    assert json.loads(settled.stdout)["release"]["version"] == "1.4.2"
    assert not host.there("new-1")


def test_what_was_written_by_hand_into_a_configuration_is_gone_with_the_next_word(host: Host) -> None:
    wanted = host.wanted("prepare", serving=NOBODY)
    assert host.say(wanted).stderr == ""
    host.start()
    file = host.root / "current" / "nginx.conf"
    text, name = file.read_text(), os.readlink(host.root / "current")
    file.write_text(text + "# by hand\n")
    assert host.say(wanted).stderr == ""
    assert (file.read_text(), os.readlink(host.root / "current")) == (text, name)
