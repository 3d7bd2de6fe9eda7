"""The script's own functions, on a root of their own: what they find, what they change, what they leave."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from components.host.converge import files
from components.host.converge.difference import Difference
from components.host.converge.host import Host, Trouble, group_name, owner_name, write
from components.host.items import Directory, File, Limits, Mode, Reader
from components.host.report import COMPARED

ME, MINE = owner_name(os.geteuid()), group_name(os.getegid())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "app.conf").write_text("old\n")
    (tmp_path / "etc" / "app.conf").chmod(0o644)
    return Host(tmp_path)


def wanted(content: str | None = "new\n", **given: object) -> File:
    return replace(File("/etc/app.conf", content, owner=ME, group=MINE), **given)  # type: ignore[arg-type]


def look(item: File, host: Host) -> Sequence[Difference]:
    return list(files.look_at_files([item], host))


def fix(item: File, host: Host) -> Difference:
    (found,) = look(item, host)
    assert found.fix
    found.fix()
    return found


def test_a_difference_is_shown_and_put_right_once(host: Host) -> None:
    found = fix(wanted(), host)
    assert found.diff.splitlines()[-2:] == ["-old", "+new"]
    assert host.text("/etc/app.conf") == "new\n"
    assert look(wanted(), host) == []
    assert [path.name for path in host.at("/etc").iterdir()] == ["app.conf"], "a temporary file was left"


def test_what_was_there_can_come_back(host: Host) -> None:
    found = fix(wanted(), host)
    files.put_back(host, "/etc/app.conf", found.before["file"])
    assert host.text("/etc/app.conf") == "old\n"


def test_a_missing_file_came_from_nowhere_and_goes_there_again(host: Host) -> None:
    host.at("/etc/app.conf").unlink()
    found = fix(wanted(), host)
    assert found.reason == "is missing"
    files.put_back(host, "/etc/app.conf", found.before["file"])
    assert not host.at("/etc/app.conf").exists()


def test_a_link_is_replaced_and_never_followed(host: Host, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious\n")
    host.at("/etc/app.conf").unlink()
    host.at("/etc/app.conf").symlink_to(precious)
    found = fix(wanted(), host)
    assert (precious.read_text(), host.text("/etc/app.conf")) == ("precious\n", "new\n")
    files.put_back(host, "/etc/app.conf", found.before["file"])
    assert host.at("/etc/app.conf").readlink() == precious


def test_a_planted_temporary_file_leads_nowhere(host: Host, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious\n")
    host.at("/etc/.app.conf.dpkg-new").symlink_to(precious)
    fix(wanted(), host)
    assert (precious.read_text(), host.text("/etc/app.conf")) == ("precious\n", "new\n")


def test_mode_and_owner_count(host: Host) -> None:
    host.at("/etc/app.conf").chmod(0o666)
    (found,) = look(wanted("old\n"), host)
    assert found.reason == "has the mode 0666 instead of 0644"


def test_what_its_reader_refuses_does_not_land(host: Host) -> None:
    reader = Reader(argv=("sh", "-c", 'echo "line 1: $(cat "$1")" >&2; exit 1', "app", "{candidate}"))
    (found,) = look(wanted(reader=reader), host)
    assert found.fix
    with pytest.raises(Trouble, match="app refuses the new content, so the old one stays: line 1: new"):
        found.fix()
    assert host.text("/etc/app.conf") == "old\n"


def test_a_reader_sees_the_file_under_its_name_and_in_its_wrapper(host: Host) -> None:
    script = 'test "$(basename "$1")" = app.conf && grep -q "^Include $1$" "$2"'
    reader = Reader(("sh", "-c", script, "app", "{candidate}", "{wrapper}"), wrapper="Include {candidate}\n")
    fix(wanted(reader=reader), host)
    assert host.text("/etc/app.conf") == "new\n"


def test_a_secret_has_no_diff(host: Host) -> None:
    (found,) = look(wanted(secret=True), host)
    assert (found.diff, found.reason) == ("", "has other content")


def test_a_file_that_must_not_be_there_goes(host: Host) -> None:
    found = fix(wanted(None), host)
    assert not host.at("/etc/app.conf").exists()
    assert found.before["file"]["mode"] == "0644"


def test_a_folder_in_the_way_is_said(host: Host) -> None:
    host.at("/etc/app.conf").unlink()
    host.at("/etc/app.conf").mkdir()
    with pytest.raises(Trouble, match=r"/etc/app\.conf is no ordinary file: move it away"):
        look(wanted(), host)


def test_folders_are_made_and_corrected_but_never_replaced(host: Host) -> None:
    item = Directory("/srv/app/data", "0750", ME, MINE)
    (found,) = files.look_at_directories([item], host)
    assert found.fix
    found.fix()
    assert list(files.look_at_directories([item], host)) == []
    host.at("/srv/app/data").chmod(0o777)
    (found,) = files.look_at_directories([item], host)
    assert found.reason == "has the mode 0777 instead of 0750"
    (found,) = files.look_at_directories([Directory("/etc/app.conf", owner=ME, group=MINE)], host)
    assert found.fix
    with pytest.raises(Trouble, match="is no folder"):
        found.fix()


def test_modes_of_what_is_not_there_are_in_order(host: Host) -> None:
    assert list(files.look_at_modes([Mode("/etc/nothing", "0600", ME, MINE)], host)) == []
    (found,) = files.look_at_modes([Mode("/etc/app.conf", "0600", ME, MINE)], host)
    assert found.fix
    found.fix()
    assert host.at("/etc/app.conf").stat().st_mode & 0o777 == 0o600


def test_limits_that_the_machine_cannot_grant_are_lowered_and_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    item = Limits("/etc/limits.conf", {"core": 0, "nofile": 65536}, ("*", "root"))
    monkeypatch.setattr(files.resource, "getrlimit", lambda _: (1024, 20000))
    text = files.limits_text(item, {"core": 0, "nofile": 20000})
    assert "root hard nofile 20000\n" in text
    write(host.at("/etc/limits.conf"), text.encode(), 0o644)
    (found,) = files.look_at_limits([item], host)
    assert (found.state, found.reason) == (COMPARED, "this machine grants nofile 20000 at most")


def test_a_server_that_can_raise_limits_gets_what_was_asked_for(host: Host) -> None:
    host.at("/proc/self").mkdir(parents=True)
    host.at("/proc/self/status").write_text("Name:\tsh\nCapEff:\t000001ffffffffff\n")
    (found,) = files.look_at_limits([Limits("/etc/limits.conf", {"nofile": 65536})], host)
    assert found.reason == "is missing"
    assert "+* soft nofile 65536" in found.diff
