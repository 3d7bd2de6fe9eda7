"""What a take-over asks of the server's Docker engine; nothing else here starts a program there."""

import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]


class Docker:
    def containers(self) -> list[Facts]:
        """All of them, with everything that the engine knows."""
        ids = self._run("ps", "--all", "--quiet", "--no-trunc").split()
        return list(json.loads(self._run("inspect", "--type", "container", *ids))) if ids else []

    def image(self, name: str) -> Facts:
        found = json.loads(self._run("image", "inspect", name))
        return dict(found[0])

    def state(self, which: str) -> Facts:
        """Nothing when it is gone."""
        done = self._call(["docker", "inspect", "--type", "container", "--format", "{{json .State}}", which])
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def stop(self, which: Iterable[str], seconds: int) -> None:
        self._run("stop", "--time", str(seconds), *which)

    def start(self, which: Iterable[str]) -> None:
        self._run("start", *which)

    def signal(self, which: str, name: str) -> None:
        self._run("kill", "--signal", name, which)

    def rename(self, which: str, name: str) -> None:
        self._run("rename", which, name)

    def restart_policy(self, which: str, policy: str) -> None:
        self._run("update", "--restart", policy, which)

    def remove(self, which: str) -> None:
        self._run("rm", "--force", which)

    def network(self, name: str) -> Facts:
        """Nothing when there is none."""
        done = self._call(["docker", "network", "inspect", name])
        return dict(json.loads(done.stdout)[0]) if done.returncode == 0 else {}

    def remove_network(self, name: str) -> None:
        self._run("network", "rm", name)

    def create_network(self, facts: Facts) -> None:
        """As one was that `network` has told of."""
        pools = (facts.get("IPAM") or {}).get("Config") or []
        words = [word for pool in pools for word in _pool(pool)]
        words += [word for key, value in _pairs(facts.get("Labels")) for word in ("--label", f"{key}={value}")]
        words += [word for key, value in _pairs(facts.get("Options")) for word in ("--opt", f"{key}={value}")]
        words += ["--ipv6"] if facts.get("EnableIPv6") else []
        self._run("network", "create", "--driver", facts["Driver"], *words, facts["Name"])

    def leave(self, network: str, which: str) -> None:
        self._run("network", "disconnect", "--force", network, which)

    def join(self, network: str, which: str, aliases: Iterable[str]) -> None:
        given = [word for alias in aliases for word in ("--alias", alias)]
        self._run("network", "connect", *given, network, which)

    def ask(self, which: str, *words: str) -> str:
        """What a program in a container prints."""
        return self._run("exec", which, *words)

    def sql(self, which: str, user: str, text: str, database: str = "postgres") -> str:
        words = ["psql", "-XAtq", "--set", "ON_ERROR_STOP=1", "-U", user, "-d", database]
        return self._run("exec", "--interactive", which, *words, told=text)

    def dump(self, which: str, user: str, path: Path) -> None:
        """Everything, with roles, compressed, in a file of root alone."""
        asked = ["docker", "exec", which, "pg_dumpall", "--username", user, "--database", "postgres"]
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            dumping = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            packing = subprocess.Popen(["gzip", "-6"], stdin=dumping.stdout, stdout=file)
            assert dumping.stdout  # noqa: S101 (a pipe, as above)
            assert dumping.stderr  # noqa: S101 (the same)
            dumping.stdout.close()
            said = dumping.stderr.read().decode(errors="replace").strip()
            if dumping.wait() or packing.wait():
                raise TakeoverError(f"The database could not be dumped: {said or 'gzip failed'}")
            os.fsync(file.fileno())

    def redis(self, which: str, password: str, *words: str) -> str:
        """The password is in no command line."""
        quoted = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in (password, *words)]
        login = f"AUTH {quoted[0]}\n" if password else ""
        answer = self._run("exec", "--interactive", which, "redis-cli", "-e", told=f"{login}{' '.join(quoted[1:])}\n")
        first, _, rest = answer.partition("\n")
        if password and first.strip() != "OK":
            raise TakeoverError(f"Redis refuses the password that its container was made with: {first}")
        return rest if password else answer

    def _run(self, *words: str, told: str = "") -> str:
        done = self._call(["docker", *words], told)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise TakeoverError(f"`docker {words[0]}` failed: {said[0]}")
        return done.stdout

    def _call(self, command: list[str], told: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, input=told, capture_output=True, text=True, errors="replace", check=False)


def _pool(pool: Facts) -> list[str]:
    names = {"Subnet": "--subnet", "Gateway": "--gateway", "IPRange": "--ip-range"}
    return [word for key, option in names.items() if pool.get(key) for word in (option, pool[key])]


def _pairs(given: "Facts | None") -> "list[tuple[str, Any]]":
    return sorted((given or {}).items())


def wait_until_stopped(docker: Docker, which: str, seconds: float, pause: float = 0.2) -> bool:
    end = time.monotonic() + seconds
    while docker.state(which).get("Running"):
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
