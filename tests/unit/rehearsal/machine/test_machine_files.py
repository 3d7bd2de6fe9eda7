"""The files of a machine and of its image: names that cannot escape, keys that fit, content that decides."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal import RehearsalError
from rehearsal.machine import container, image, store
from rehearsal.machine.releases import find_release, releases

RECORD = store.Record("one", "debian-12", "c0ffee", "172.17.0.9", 40022, "debian")


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "MACHINES", tmp_path / "with space")
    return tmp_path / "with space"


@pytest.mark.parametrize("name", ["", "A", "1st", "../up", "a/b", "a b", "-rf", "a" * 32, "a\n"])
def test_names_that_could_escape_or_confuse(name: str) -> None:
    with pytest.raises(RehearsalError, match="cannot name a machine"):
        store.check_name(name)


def test_a_record_survives_and_half_a_record_is_none(machines: Path) -> None:
    store.make_keys("one")
    store.save(RECORD)
    assert store.load("one") == RECORD
    assert store.names() == ["one"]

    whole = (machines / "one" / "machine.json").read_text()
    (machines / "one" / "machine.json").write_text(whole[: len(whole) // 2])
    assert store.load("one") is None
    (machines / "one" / "machine.json").write_text(json.dumps({"name": "one"}))
    assert store.load("one") is None

    store.forget("one")
    assert store.names() == []


def test_keys_are_private_and_the_host_key_is_pinned_for_both_addresses(machines: Path) -> None:
    store.make_keys("one")
    store.save(RECORD)
    folder = machines / "one"
    assert [oct((folder / key).stat().st_mode & 0o777) for key in ("user_key", "host_key")] == ["0o600", "0o600"]

    for host in ("[127.0.0.1]:40022", "172.17.0.9"):
        search = ["ssh-keygen", "-F", host, "-f", str(folder / "known_hosts")]
        found = subprocess.run(search, capture_output=True, text=True, check=True).stdout
        assert store.host_public_key("one") in found


def test_ssh_itself_reads_the_configuration(machines: Path) -> None:
    store.make_keys("one")
    store.save(RECORD)
    config = str(machines / "one" / "ssh_config")
    read = subprocess.run(["ssh", "-G", "-F", config, "one"], capture_output=True, text=True, check=True).stdout
    settings = dict(line.split(" ", 1) for line in read.splitlines() if " " in line)
    assert settings["hostname"] == "127.0.0.1"
    assert settings["port"] == "40022"
    assert settings["stricthostkeychecking"] == "true"
    assert settings["identityfile"] == str(machines / "one" / "user_key")
    assert settings["userknownhostsfile"] == str(machines / "one" / "known_hosts")


def test_content_decides_the_name_of_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debian = find_release("debian-12")
    name = image.image_name(debian)
    assert name == image.image_name(find_release("debian-12"))
    assert name != image.image_name(replace(debian, mirror="http://elsewhere/debian"))
    assert name != image.image_name(replace(debian, packages="systemd"))
    assert name != image.image_name(debian, ("docker.io",))
    assert image.image_name(debian, ("a", "b")) == image.image_name(debian, ("b", "a"))

    changed = tmp_path / "build-base.sh"
    changed.write_text(image.BUILD_SCRIPT.read_text() + "# changed\n")
    monkeypatch.setattr(image, "BUILD_SCRIPT", changed)
    assert name != image.image_name(debian)


@pytest.mark.skipif(not image._builds_itself(), reason="Nothing is carried over into an image built in a container.")
def test_what_the_machine_underneath_lends_is_content_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debian = find_release("debian-12")
    name = image.image_name(debian)
    monkeypatch.setattr(image, "AUTHORITIES", tmp_path)
    (tmp_path / "company.crt").write_text("an authority that only this company trusts")
    trusting = image.image_name(debian)
    assert trusting != name

    settings = tmp_path / "apt.conf"
    settings.write_text('Acquire::http::Proxy "http://proxy.example:3128";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    assert image.image_name(debian) != trusting


def test_a_mirror_can_be_named_and_a_release_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_UBUNTU_MIRROR", "http://mirror.example/ubuntu/")
    assert "http://mirror.example/ubuntu" in find_release("ubuntu-24.04").build_arguments()
    assert "" in find_release("debian-12").build_arguments()
    with pytest.raises(RehearsalError, match=r"no release 'debian-11' .*debian-12, ubuntu-22.04, ubuntu-24.04"):
        find_release("debian-11")


def test_ubuntu_is_trusted_by_a_pinned_key_and_debian_by_the_one_that_is_here() -> None:
    for name, release in releases().items():
        assert bool(release.keyring_sha256) == name.startswith("ubuntu")
        assert bool(release.keyring_path) == name.startswith("ubuntu")


def test_the_scripts_are_sound() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([shellcheck, image.BUILD_SCRIPT, container.BOOT_SCRIPT], check=True)


def test_the_fence_names_every_capability_that_reaches_the_machine_underneath() -> None:
    options = container.fence(container.Limits(memory_mb=512, cpus=1.5))
    dropped = {options[at + 1] for at, option in enumerate(options) if option == "--cap-drop"}
    assert {"SYS_RESOURCE", "SYS_TIME", "SYS_MODULE", "SYS_BOOT", "SYS_RAWIO"} <= dropped
    assert "--privileged" not in options
    assert options[options.index("--memory") + 1] == options[options.index("--memory-swap") + 1] == "512m"

    refused = json.loads(container.SECCOMP_PROFILE.read_text())["syscalls"][0]
    assert {"swapon", "swapoff", "clock_settime", "settimeofday", "init_module"} <= set(refused["names"])
