"""Ended at any of its calls, a take-over goes on to the same end, and the way back always leads to where it began."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_docker import FakeDocker, KilledError, write_control

from components.containers.onhost.takeover import database, main, take
from components.containers.onhost.takeover.back import lead_back
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.journal import DONE, NOTHING, TAKEN, Book
from components.containers.onhost.takeover.problem import TakeoverError

NETWORK = {"Name": "neurmatic-network", "Id": "net", "Driver": "bridge", "Labels": {}}
OURS = {"product": "neurmatic", "machine": "abc"}
HBA = "local all neurmatic_prod trust\n"
Facts = dict[str, Any]


class Server:
    """One with an old stack, in which the superuser has a name of his own."""

    def __init__(self, root: Path, *, superuser: str = "postgres", copied: bool = False) -> None:
        self.data, self.docker = root / "data", FakeDocker(root)
        self.book, self.record = Book(root / "journal"), root / "containers.json"
        self.cluster = (root / "volume/_data") if copied else self.data / "postgres"
        self.cluster.mkdir(parents=True)
        for name, text in {"PG_VERSION": "15", "base": "rows", database.HBA: HBA, database.CONF: CONF}.items():
            (self.cluster / name).write_text(text)
        write_control(self.cluster, 6)
        cache = root / "redis-old"
        cache.mkdir()
        (cache / "dump.rdb").write_text("sessions")
        roles = {"super": True, "login": True, "createdb": True, "password": "SCRAM$1"}
        self.docker.users = {superuser: dict(roles)}
        self.docker.nets = {"neurmatic-network": NETWORK}
        mounts = [{"Destination": ABOUT_FOLDER, "Source": str(self.cluster)}]
        self.docker.add(
            "neurmatic-postgres-production",
            "postgres:15",
            ports=[5432],
            mounts=mounts,
            env=[f"POSTGRES_USER={superuser}"],
        )
        self.docker.add("cache", "redis:7", mounts=[{"Destination": "/data", "Source": str(cache)}])
        self.docker.add("api-1", "ghcr.io/alexbaum-ai/neurm-backend:1.0.0")
        self.docker.add("neurmatic-nginx-production", "nginx:alpine", ports=[80, 443])

    @property
    def wanted(self) -> Facts:
        return {
            "prefix": "neurmatic-",
            "data": str(self.data),
            "network": "neurmatic-network",
            "database": "neurmatic_production",
            "owner": "neurmatic_prod",
            "record": str(self.record),
            "repositories": {"backend": "ghcr.io/alexbaum-ai/neurm-backend"},
        }

    def take(self) -> Facts:
        return take.take(self.docker, self.book, self.wanted)

    def back(self) -> Facts:
        return lead_back(self.docker, self.book, self.wanted)

    def serve(self) -> None:
        """What `up` makes afterwards, and what it does to the roles."""
        self.docker.nets["neurmatic-network"] = {**NETWORK, "Id": "new", "Labels": {"product": "neurmatic"}}
        mounts = [{"Destination": "/var/lib/postgresql/data", "Source": str(self.data / "postgres/pgdata")}]
        ours = {**OURS, "service": "postgres"}
        made = self.docker.add("neurmatic-postgres-production", "postgres:15", labels=ours, mounts=mounts)
        write_control(self.data / "postgres/pgdata", 6)
        (Path(mounts[0]["Source"]) / "base").write_text("rows and new ones")
        users = self.docker.users
        users["postgres"] = {**users.pop("neurmatic_prod"), "password": None}
        users["neurmatic_prod"] = {"super": False, "login": True, "createdb": True, "password": None}
        assert made["State"]["Running"]
        take.finished(self.book)

    def picture(self) -> Facts:
        """What a visitor and an owner of the old stack would look at."""
        containers = {
            each["Name"]: [each["State"], policy(each), networks(each)] for each in self.docker.there.values()
        }
        return {
            "containers": containers,
            "networks": sorted(self.docker.nets),
            "roles": self.docker.users,
            "cluster": files(self.cluster),
            "redis": files(self.data.parent / "redis-old"),
        }


CONF = "listen_addresses = 'localhost'\nlc_messages = 'en_US.utf8'\nssl = on\n"
ABOUT_FOLDER = "/var/lib/postgresql/data"


def policy(container: Facts) -> str:
    return str(container["HostConfig"]["RestartPolicy"]["Name"])


def networks(container: Facts) -> Facts:
    return dict(container["NetworkSettings"]["Networks"])


def files(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text("latin-1") for each in folder.rglob("*") if each.is_file()}


def copy_of(picture: Facts) -> Facts:
    return dict(json.loads(json.dumps(picture)))


@pytest.fixture(autouse=True)
def nobodys_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not root may give nothing away."""
    monkeypatch.setattr(os, "lchown", lambda *_: None)


def killed_at(server: Server, call: int, action: Callable[[], object]) -> bool:
    """True if it ended before the action did."""
    server.docker.calls, server.docker.fatal = 0, call
    try:
        action()
    except KilledError:
        return True
    finally:
        server.docker.fatal = -1
    return False


def each_moment(make: Callable[[int], Server], action: Callable[[Server], object]) -> Iterator[Server]:
    for call in range(1, 200):
        server = make(call)
        if not killed_at(server, call, lambda: action(server)):  # noqa: B023 (called at once)
            return
        yield server


def taken(server: Server) -> Facts:
    return {
        "names": sorted(each["Name"] for each in server.docker.there.values()),
        "running": [each["Name"] for each in server.docker.there.values() if each["State"]["Running"]],
        "networks": sorted(server.docker.nets),
        "roles": server.docker.users,
        "cluster": files(server.data / "postgres/pgdata"),
        "redis": files(server.data / "redis"),
        "policies": {policy(each) for each in server.docker.there.values()},
        "phase": server.book.read()["phase"],
    }


def test_everything_is_in_its_place_afterwards(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.take()
    now = taken(server)
    assert (now["running"], now["networks"], now["policies"], now["phase"]) == ([], [], {"no"}, TAKEN)
    assert [name for name in now["names"] if name.startswith("/neurmatic-")] == []
    assert now["cluster"]["base"] == "rows"
    assert now["redis"] == {"dump.rdb": "sessions"}
    # Its superuser has the owner's name, as one that the image made has; postgres-logins makes two of it.
    assert list(now["roles"]) == ["neurmatic_prod"]
    assert "ssl" not in now["cluster"][database.CONF]
    assert "lc_messages = 'en_US.utf8'" in now["cluster"][database.CONF]
    assert now["cluster"][database.HBA + database.KEPT_AS] == HBA


def test_whoever_is_interrupted_goes_on(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = Server(tmp_path / "whole")
    whole.take()
    moments = 0
    for server in each_moment(lambda call: made(tmp_path, call), Server.take):
        moments += 1
        server.take()
        assert taken(server) == taken(whole)
    assert moments > 15


@pytest.mark.parametrize("copied", [False, True], ids=["renamed", "copied"])
def test_from_every_moment_of_a_take_over_the_way_leads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    if copied:
        monkeypatch.setattr(Path, "rename", across_devices(Path.rename))
    moments = 0
    for server in each_moment(lambda call: made(tmp_path, call, copied=copied), Server.take):
        moments += 1
        if server.book.read()["phase"] == NOTHING:
            continue
        server.back()
        (tmp_path / f"reference-{moments}").mkdir()
        assert server.picture() == Server(tmp_path / f"reference-{moments}", copied=copied).picture() | {
            "networks": ["neurmatic-network"]
        }
        assert server.book.read()["phase"] == NOTHING
    assert moments > 15


def test_a_way_back_that_is_interrupted_goes_on_and_keeps_what_was_written_since(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    before = Server(tmp_path / "reference").picture()

    def served(call: int) -> Server:
        server = made(tmp_path, call)
        server.take()
        server.serve()
        assert server.book.read()["phase"] == DONE
        return server

    moments = 0
    for server in each_moment(served, Server.back):
        moments += 1
        if server.book.read()["phase"] != NOTHING:
            server.back()
        now = copy_of(server.picture())
        assert now["cluster"].pop("base") == "rows and new ones"
        assert now["roles"].pop("neurmatic_prod")["super"] is False
        expected = copy_of(before)
        del expected["cluster"]["base"]
        assert now == expected
    assert moments > 15


def test_a_copy_that_was_written_to_is_kept_beside_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", across_devices(Path.rename))
    server = Server(tmp_path, copied=True)
    server.take()
    server.serve()
    kept = server.back()["kept"]
    (cluster,) = [Path(path) for path in kept if "postgres" in path]
    assert (cluster / "base").read_text() == "rows and new ones"
    assert (server.cluster / "base").read_text() == "rows"


def test_a_cluster_that_did_not_end_in_order_stays_where_it_is(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.docker.signal = lambda which, name: server.docker.there[which]["State"].update(Running=False)  # type: ignore[method-assign]
    with pytest.raises(TakeoverError, match="not shut down cleanly"):
        server.take()
    assert (server.cluster / "base").exists()


def test_without_the_old_containers_nothing_is_removed(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.take()
    server.serve()
    for gone in [each for each in server.docker.there.values() if each["Name"].startswith("/before-adoption-")]:
        server.docker.remove(gone["Id"])
    before = sorted(server.docker.there)
    with pytest.raises(TakeoverError, match="nothing leads back"):
        server.back()
    assert sorted(server.docker.there) == before
    assert server.book.read()["phase"] == DONE


def test_data_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    server = Server(tmp_path, copied=True)
    (server.data / "postgres/pgdata").mkdir(parents=True)
    (server.data / "postgres/pgdata/precious").write_text("theirs")
    with pytest.raises(TakeoverError, match="is not empty"):
        server.take()
    server.back()
    assert (server.cluster / "base").read_text() == "rows"
    assert (server.data / "postgres/pgdata/precious").read_text() == "theirs"


def test_two_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "FOLDER", tmp_path)
    with main.alone(), pytest.raises(TakeoverError, match="Another run"), main.alone():
        pass


def made(root: Path, call: int, *, copied: bool = False) -> Server:
    folder = root / f"at-{call}"
    folder.mkdir()
    return Server(folder, copied=copied)


def across_devices(rename: Callable[..., Path]) -> Callable[..., Path]:
    """From a volume to anywhere else is another file system."""

    def refused(path: Path, target: Path) -> Path:
        if path.name == "_data" and Path(target).parent != path.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    return refused


def test_the_fake_is_asked_as_the_engine_is() -> None:
    """A method that the real one has not would prove nothing."""
    own = {name for name in vars(FakeDocker) if not name.startswith("_")} - {"add", "cluster"}
    assert own <= {name for name in vars(Docker) if not name.startswith("_")}
