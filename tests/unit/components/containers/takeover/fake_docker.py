"""A Docker engine in memory with data in real folders, which can end its caller at any of its calls."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover import database
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]
RUNNING, SHUT_DOWN = 6, 1
ABOUT = {"checksums": False, "folder": "/var/lib/postgresql/data", "databases": [], "roles": [], "tablespaces": 0}


class KilledError(BaseException):
    """As a power cut would: nothing catches it."""


class FakeDocker(Docker):
    def __init__(self, root: Path) -> None:
        self.root, self.there, self.nets = root, {}, {}  # type: Path, dict[str, Facts], dict[str, Facts]
        self.users: dict[str, Facts] = {}
        self.calls, self.fatal = 0, -1

    def add(self, name: str, image: str, **more: Any) -> Facts:
        labels = more.pop("labels", {"com.docker.compose.project": "old", "com.docker.compose.service": name})
        network, ports = more.pop("network", "neurmatic-network"), more.pop("ports", [])
        identity = f"{len(self.there):02}abcdef"
        made: Facts = {
            "Id": identity,
            "Name": f"/{name}",
            "Config": {"Image": image, "Env": more.pop("env", []), "Cmd": [], "Labels": labels},
            "State": {"Running": True},
            "HostConfig": {
                "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
                "PortBindings": {f"{port}/tcp": [{"HostPort": str(port)}] for port in ports},
            },
            "NetworkSettings": {"Networks": {network: {"Aliases": [name, identity[:5]]}}},
            "Mounts": more.pop("mounts", []),
        }
        self.there[made["Id"]] = made
        return made

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fatal:
            raise KilledError

    def _found(self, which: str) -> Facts:
        for each in self.there.values():
            if which in (each["Id"], each["Name"].lstrip("/")):
                return each
        raise TakeoverError(f"No such container: {which}")

    def containers(self) -> list[Facts]:
        self._count()
        return list(json.loads(json.dumps(list(self.there.values()))))

    def state(self, which: str) -> Facts:
        return dict(self.there[which]["State"]) if which in self.there else {}

    def stop(self, which: Iterable[str], seconds: int) -> None:
        for each in which:
            self._count()
            self._ended(each)

    def start(self, which: Iterable[str]) -> None:
        for each in which:
            self._count()
            found = self._found(each)
            for network in found["NetworkSettings"]["Networks"]:
                assert network in self.nets, f"{each} is in {network}, which is gone"
            if is_postgres(found):
                write_control(self.cluster(found), RUNNING)
            if "nginx" in found["Name"]:
                others = (one for one in self.there.values() if one is not found)
                stopped = [one["Name"] for one in others if not one["State"]["Running"]]
                assert not stopped, f"host not found in upstream: {stopped}"
            found["State"]["Running"] = True

    def signal(self, which: str, name: str) -> None:
        self._count()
        assert self._found(which)["State"]["Running"]
        if name == "SIGINT":
            self._ended(which)

    def _ended(self, which: str) -> None:
        found = self._found(which)
        found["State"]["Running"] = False
        if is_postgres(found):
            write_control(self.cluster(found), SHUT_DOWN)

    def cluster(self, container: Facts) -> Path:
        return Path(container["Mounts"][0]["Source"])

    def rename(self, which: str, name: str) -> None:
        self._count()
        assert f"/{name}" not in {each["Name"] for each in self.there.values()}, name
        self._found(which)["Name"] = f"/{name}"

    def restart_policy(self, which: str, policy: str) -> None:
        self._count()
        self._found(which)["HostConfig"]["RestartPolicy"]["Name"] = policy

    def remove(self, which: str) -> None:
        self._count()
        del self.there[which]

    def network(self, name: str) -> Facts:
        return dict(self.nets.get(name, {}))

    def remove_network(self, name: str) -> None:
        self._count()
        users = [each["Name"] for each in self.there.values() if name in each["NetworkSettings"]["Networks"]]
        assert not users, f"{name} has {users}"
        del self.nets[name]

    def create_network(self, facts: Facts) -> None:
        self._count()
        self.nets[facts["Name"]] = {**facts, "Id": f"{facts['Id']}-again"}

    def leave(self, network: str, which: str) -> None:
        self._count()
        del self._found(which)["NetworkSettings"]["Networks"][network]

    def join(self, network: str, which: str, aliases: Iterable[str]) -> None:
        self._count()
        self._found(which)["NetworkSettings"]["Networks"][network] = {"Aliases": [*aliases, which[:5]]}

    def redis(self, which: str, password: str, *words: str) -> str:
        assert self._found(which)["State"]["Running"]
        answers = {"INFO": "redis_version:7.0.15\n", "DBSIZE": "(integer) 3\n"}
        settings = {"dir": "/data", "appendonly": "yes"}
        return answers.get(words[0]) or f"{words[-1]}\n{settings.get(words[-1], '')}\n"

    def sql(self, which: str, user: str, text: str, database_name: str = "postgres") -> str:
        self._count()
        found = self._found(which)
        if not found["State"]["Running"] or user not in self.users:
            raise TakeoverError(f'role "{user}" does not exist')
        answers = {
            database.NUMBER: "150004",
            database.POWER: "on" if self.users[user]["super"] else "off",
            database.ABOUT: json.dumps(ABOUT),
            database.ROLES: json.dumps([{"name": name, **role} for name, role in self.users.items()]),
        }
        return answers[text] if text in answers else self._changed(user, text)

    def _changed(self, user: str, text: str) -> str:
        plain = {"super": False, "login": True, "createdb": False, "password": None}
        for made in re.findall(r"CREATE ROLE (\w+) SUPERUSER", text):
            self.users.setdefault(made, {**plain, "super": True})
        for old, new in re.findall(r'ALTER ROLE "(\w+)" RENAME TO "(\w+)"', text):
            assert user != old, "a role cannot rename itself"
            if old in self.users:
                assert new not in self.users
                self.users[new] = self.users.pop(old)
        for gone in re.findall(r"DROP ROLE (?:IF EXISTS )?(\w+)", text):
            self.users.pop(gone, None)
        for name, power in re.findall(r'ALTER ROLE "(\w+)" (NOSUPERUSER|SUPERUSER)', text):
            self.users[name]["super"] = power == "SUPERUSER"
        for name, password in re.findall(r'ALTER ROLE "(\w+)" [A-Z ]+PASSWORD (.+);', text):
            self.users[name]["password"] = None if password == "NULL" else password.strip("'")
        return ""


def is_postgres(container: Facts) -> bool:
    return "postgres" in str(container["Config"]["Image"])


def write_control(cluster: Path, state: int) -> None:
    assert cluster.is_dir(), f"{cluster} is gone"
    (cluster / "global").mkdir(exist_ok=True)
    (cluster / database.CONTROL).write_bytes(struct.pack(database.CONTROL_FORMAT, 7, 1300, 202209061, state))
