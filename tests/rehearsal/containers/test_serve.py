"""The script that changes what nginx serves, on a real nginx with real containers, while somebody keeps asking."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nginx_stage import API, FENCE, SITE, database, environment, on

from components.containers.config import NginxSettings
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.onhost import serve
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.load import Target, asking

pytestmark = pytest.mark.rehearsal
SCRIPT = Path(serve.__file__)
NOBODY = Serving([], [], [serve.SPARE], [serve.SPARE])


@dataclass
class Host:
    """What the script finds on a server: a folder, an engine, and an nginx once it was started."""

    root: Path
    network: str
    stack: ExitStack
    nginx: Container | None = None

    @property
    def name(self) -> str:
        return f"{self.network}-nginx"

    def wanted(self, action: str, *backends: str, soak: float = 0, serving: Serving | None = None) -> dict[str, Any]:
        gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", self.network)
        settings = NginxSettings(at_least="1.22.1")
        origin = Origin(SITE, settings, [f"{gateway}/32"], None, 3)
        files = configuration(origin, serving or Serving(backends, [], [serve.SPARE], [serve.SPARE]))
        place = {"root": str(self.root), "network": self.network, "container": self.name}
        nginx = {"image": ensure_image("nginx").tag, "user": "101:101", "names": SITE.names, "drain": 3}
        return {"action": action, "files": files, "backends": backends, "frontends": [], "soak": soak, **place, **nginx}

    def say(self, wanted: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        document = json.dumps(wanted)
        return subprocess.run(
            [sys.executable, "-I", SCRIPT], input=document, capture_output=True, text=True, check=False
        )

    def start(self) -> None:
        user = ["--user", "101:101", "--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/var/run:uid=101"]
        place = ["--name", self.name, *on(self.network, "nginx"), "--volume", f"{self.root}:/etc/stack:ro"]
        command = ["nginx", "-c", "/etc/stack/current/nginx.conf", "-g", "daemon off;"]
        flags = [*FENCE, *user, *place, "--publish", "127.0.0.1::443"]
        self.nginx = self.stack.enter_context(throwaway(ensure_image("nginx").tag, *command, flags=flags))

    def release(self, version: str, *names: str, **faults: str) -> Container:
        tag = ensure_image(backend(version, faults)).tag
        made = []
        for name in names:
            flags = ["--name", name, "--restart", "unless-stopped", *FENCE, *on(self.network, name), *environment()]
            made.append(self.stack.enter_context(throwaway(tag, flags=flags)))
        for container in made:
            container.wait_until(partial(is_ready, container), "it is ready")
        return made[0]

    @property
    def target(self) -> Target:
        assert self.nginx
        chain = (self.root / "tls" / "fullchain.pem").read_text()
        return Target("127.0.0.1", self.nginx.published(443), API, chain)


def is_ready(container: Container) -> bool:
    return "true" in container.run("curl", "-sf", "http://127.0.0.1:3000/api/v1/health/ready")


@pytest.fixture
def host(engine: str, tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        network = docker("network", "create", f"rehearsal-serve-{os.getpid()}")
        stack.callback(docker, "network", "rm", network)
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
        time.sleep(1)
        host.release("1.4.3", "new-1", "new-2")
        second = host.say(host.wanted("switch", "new-1", "new-2", soak=2))
        docker("stop", "--time", "30", "old-1", "old-2")
        time.sleep(1)
        host.release("1.4.4", "worse-1", FAULT_DIE_AFTER="4")
        third = host.say(host.wanted("switch", "worse-1", soak=8))
        time.sleep(1)
    assert second.returncode == 0, second.stderr
    assert third.returncode == 1
    assert third.stderr.startswith(("worse-1 has died", "worse-1 is restarting"))
    assert "the old set serves on" in third.stderr
    assert seen.answers["1.4.2"] > 50
    assert seen.answers["1.4.3"] > 50
    assert seen.answers["1.4.4"] > 0
    assert not seen.failed
    serving = json.loads((host.root / "current" / "serving.json").read_text())
    assert serving == {"backends": ["new-1", "new-2"], "frontends": []}


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
        killed = subprocess.Popen([sys.executable, "-I", SCRIPT], stdin=subprocess.PIPE, text=True)
        assert killed.stdin
        killed.stdin.write(json.dumps(host.wanted("switch", "new-1", soak=60)))
        killed.stdin.close()
        time.sleep(3)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        both = [subprocess.Popen([sys.executable, "-I", SCRIPT], stdin=subprocess.PIPE, text=True) for _ in range(2)]
        for process in both:
            assert process.stdin
            process.stdin.write(json.dumps(host.wanted("switch", "new-1", soak=1)))
            process.stdin.close()
        assert [process.wait(60) for process in both] == [0, 0]
        docker("stop", "--time", "30", "old-1")
        time.sleep(1)
    assert (gone.returncode, refused.returncode) == (1, 1)
    assert gone.stderr.startswith("no-such-1 is gone")
    assert "nginx refuses the new configuration; nothing was changed." in refused.stderr
    assert "sendfile" in refused.stderr
    assert seen.answers["1.4.3"] > 10
    assert not seen.failed
