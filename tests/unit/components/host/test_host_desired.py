"""What the builders say of a server, as text and data; that it holds is shown on a machine (tests/rehearsal/host)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from host_settings import KEY, settings

from components.host import access, engine, kernel, system
from components.host.config import HostSettings
from components.host.desired import desired_state
from components.host.items import (
    KINDS,
    ORDER,
    AuthorizedKeys,
    Directory,
    File,
    Group,
    Item,
    Limits,
    Listeners,
    Live,
    Logins,
    Mode,
    Package,
    Swap,
    Sysctl,
    Unit,
    from_data,
    to_data,
)


def items(**given: Any) -> Mapping[str, Item]:
    listed = desired_state(settings(**given)).items
    found = {item.key: item for item in listed}
    assert len(found) == len(listed), "two items say something about the same thing"
    return found


def file(key: str, **given: Any) -> File:
    found = items(**given)[f"file:{key}"]
    assert isinstance(found, File)
    return found


def test_the_specs_figures_are_in_it() -> None:
    found = items()
    assert found["sysctl:fs.file-max"] == Sysctl("fs.file-max", "2097152")
    assert found["sysctl:net.core.somaxconn"] == Sysctl("net.core.somaxconn", "65535")
    assert found["sysctl:net.ipv4.tcp_max_syn_backlog"] == Sysctl("net.ipv4.tcp_max_syn_backlog", "8192")
    assert found["sysctl:net.ipv4.ip_local_port_range"] == Sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    assert found["sysctl:net.ipv4.ip_local_reserved_ports"] == Sysctl(
        "net.ipv4.ip_local_reserved_ports", "3000,5432,6379"
    )
    assert found["sysctl:vm.swappiness"] == Sysctl("vm.swappiness", "10")
    limits = found["limits:/etc/security/limits.d/90-infra.conf"]
    assert isinstance(limits, Limits)
    assert (limits.values["nofile"], limits.values["nproc"]) == (65536, 32768)
    assert set(limits.domains) == {"*", "root"}, "* does not include root"
    spec = (
        "curl wget git vim docker.io docker-compose nginx certbot python3-certbot-nginx postgresql-client redis-tools "
        "ufw fail2ban htop iotop nethogs"
    )
    assert {f"package:{name}" for name in spec.split()} <= set(found)
    for folder in ("backend", "frontend", "infrastructure/nginx", "infrastructure/scripts", "backups", "logs"):
        assert found[f"directory:/opt/neurmatic/{folder}"] == Directory(
            f"/opt/neurmatic/{folder}", "0755", "deploy", "deploy"
        )
    assert "directory:/mnt/data" in found
    assert found["swap:/swapfile"] == Swap("/swapfile", 2048)


def test_the_hosts_nginx_cannot_hold_the_ports() -> None:
    assert items()["unit:nginx.service"] == Unit("nginx.service", enabled="masked", active=False, optional=True)


def test_only_the_deploy_user_talks_to_docker() -> None:
    assert items()["group:docker"] == Group("docker", ("deploy",))
    assert items()["keys:deploy"] == AuthorizedKeys("deploy", (KEY,))


def test_sshd_lets_in_the_deploy_user_and_the_first_contact_by_key() -> None:
    text = access.sshd_text(settings(ssh={"user": "debian"}, deploy={"name": "shipper"}))
    options = dict(line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert options["AllowUsers"] == "shipper debian"
    assert options["AuthenticationMethods"] == "publickey"
    off = ("PermitRootLogin", "PasswordAuthentication", "KbdInteractiveAuthentication", "X11Forwarding")
    assert [options[name] for name in off] == ["no"] * 4
    assert options["AuthorizedKeysFile"] == ".ssh/authorized_keys", "authorized_keys2 would be read as well"
    assert int(options["MaxStartups"].split(":")[0]) >= 64, "every call of the docker provider is a connection"
    assert "nistp" not in text
    assert "sha1" not in text


@pytest.mark.parametrize("kind", ["ecdsa-sha2-nistp256", "ssh-ed25519"])
def test_the_pinned_host_key_is_offered_whatever_its_kind(kind: str) -> None:
    blob = len(kind).to_bytes(4, "big") + kind.encode() + b"\0" * 40
    key = f"{kind} {base64.b64encode(blob).decode()}"
    (line,) = re.findall("^HostKeyAlgorithms (.*)$", access.sshd_text(settings(ssh={"host_key": key})), re.MULTILINE)
    assert kind in line.split(",")


def test_what_can_lock_the_owner_out_is_read_before_it_lands_and_guarded() -> None:
    found = items()
    for path in (access.SSHD_DROP_IN, access.SUDOERS):
        item = found[f"file:{path}"]
        assert isinstance(item, File)
        assert (item.reader is not None, item.guarded) == (True, True)
    assert isinstance(found["file:/etc/ufw/user.rules"], File)
    assert {item.key for item in found.values() if getattr(item, "guarded", False)} >= {
        f"file:{access.SSHD_DROP_IN}",
        "live:sshd",
        "live:firewall",
    }


@pytest.mark.parametrize(
    ("path", "program"),
    [
        (access.SSHD_DROP_IN, "sshd"),
        (access.SUDOERS, "visudo"),
        ("/etc/docker/daemon.json", "dockerd"),
        ("/etc/fail2ban/jail.d/infra.local", "fail2ban-client"),
        ("/etc/logrotate.d/infra", "logrotate"),
        ("/etc/systemd/system/neurmatic-backend.slice", "systemd-analyze"),
    ],
)
def test_each_dangerous_file_has_its_own_reader(path: str, program: str) -> None:
    reader = file(path).reader
    assert reader is not None
    assert program in (reader.argv[0], *reader.argv[3:4])


def test_docker_is_told_what_the_issue_asks_for() -> None:
    told = json.loads(engine.daemon_text(settings(docker={"log_max_size": 20, "log_max_files": 3})))
    assert told["log-opts"] == {"max-size": "20m", "max-file": "3"}
    assert (told["live-restore"], told["no-new-privileges"], told["userland-proxy"], told["icc"]) == (
        True,
        True,
        False,
        False,
    )
    assert told["exec-opts"] == ["native.cgroupdriver=systemd"], "else cgroup_parent could name no slice"
    assert told["default-address-pools"]


def test_each_service_has_a_slice_below_the_products() -> None:
    found = items()
    for service in engine.TASKS:
        item = found[f"file:/etc/systemd/system/{engine.slice_of(service)}"]
        assert isinstance(item, File)
        assert re.search(r"^TasksMax=\d+$", item.content or "", re.MULTILINE)
    assert "file:/etc/systemd/system/neurmatic.slice" in found


def test_the_stacks_own_kernel_settings_win() -> None:
    chosen = kernel.wanted(settings(sysctl={"kernel.sysrq": "4", "vm.swappiness": "30"}))
    assert (chosen["kernel.sysrq"], chosen["vm.swappiness"]) == ("4", "30")
    assert "net.ipv4.ip_forward" not in chosen, "Docker forwards"


def test_logs_rotate_daily_and_are_kept_as_long_as_asked() -> None:
    text = system.logrotate_text(settings(logs_kept=14))
    assert {"daily", "rotate 14", "maxage 14"} <= {line.strip() for line in text.splitlines()}
    assert "/opt/neurmatic/logs/*.log" in text


def test_upgrades_can_be_switched_off() -> None:
    off: HostSettings = settings(upgrades={"enabled": False})
    assert 'APT::Periodic::Unattended-Upgrade "0";' in system.daily_text(off)
    assert items(upgrades={"enabled": False})["unit:apt-daily-upgrade.timer"] == Unit(
        "apt-daily-upgrade.timer", enabled="disabled", active=False
    )


def test_every_level_of_a_folder_has_its_owner() -> None:
    assert system.with_parents(("a/b/c", "a/d")) == ["a", "a/b", "a/b/c", "a/d"]


def test_everything_survives_the_way_to_the_server() -> None:
    for item in items().values():
        assert from_data(json.loads(json.dumps(to_data(item)))) == item


def test_every_kind_has_its_turn() -> None:
    last = {"logins", "listeners"}
    assert {kind.kind for kind in KINDS} == {*ORDER, *last}
    assert {item.kind for item in items().values()} == {kind.kind for kind in KINDS}


def test_no_file_says_what_another_tool_rewrites() -> None:
    """A file of its own in a folder of parts, wherever there is one."""
    shared = {"/etc/docker/daemon.json", "/etc/issue", "/etc/issue.net", "/etc/timezone"}
    owned = {item.path for item in items().values() if isinstance(item, File)}
    others = {path for path in owned if "infra" not in path and "neurmatic" not in path and "/ufw" not in path}
    assert others == {*shared, "/etc/apt/apt.conf.d/20auto-upgrades"}


def test_texts_end_with_a_line_end() -> None:
    for item in items().values():
        if isinstance(item, File):
            assert (item.content or "\n").endswith("\n"), item.key


def test_who_may_be_there() -> None:
    found = items(ssh={"user": "debian", "port": 2222})
    assert found["logins:"] == Logins(("deploy", "debian"), "debian")
    ports = found["listeners:"]
    assert isinstance(ports, Listeners)
    assert "2222/tcp" in ports.allowed
    assert "5432/tcp" not in ports.allowed
    assert isinstance(found["live:sshd"], Live)
    assert isinstance(found["mode:/etc/ssh/sshd_config"], Mode)
    assert isinstance(found["package:docker.io"], Package)
