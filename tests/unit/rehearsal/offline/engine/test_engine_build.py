"""The way from Go modules to programs, on machines that lack something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# The folder may be deleted; its tests then have nothing to say.
build = pytest.importorskip("rehearsal.offline.engine.build")

GO = """#!/bin/sh
case "$1" in
env) echo go1.99.0 ;;
list) echo {sdk} ;;
build) env > {sdk}/environment; {behaviour} ;;
esac
"""
MAKES_BOTH = 'while [ "$1" != -o ]; do shift; done; echo p > "$2pulumi"; echo h > "$2languagehost"'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("path", "bin", "sdk/python/cmd", "sdk/python/dist"):
        (tmp_path / folder).mkdir(parents=True)
    for script in build.SCRIPTS:
        (tmp_path / "sdk" / script).write_text("script")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(build, "HEARTBEAT_SECONDS", 0.2)
    return tmp_path


def install_go(machine: Path, behaviour: str, version: str = "go1.99.0") -> None:
    text = GO.format(sdk=machine / "sdk", behaviour=behaviour).replace("go1.99.0", version)
    (machine / "path" / "go").write_text(text)
    (machine / "path" / "go").chmod(0o755)


def run(machine: Path, said: list[str] | None = None) -> None:
    build.build(machine / "bin", "3.255.0", machine / "scratch", ([] if said is None else said).append)


def test_it_makes_what_a_python_program_needs_and_leaves_no_downloads(machine: Path) -> None:
    install_go(machine, MAKES_BOTH)
    run(machine)
    assert sorted(file.name for file in (machine / "bin").iterdir()) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    ]
    assert os.access(machine / "bin" / "pulumi-language-python-exec", os.X_OK)
    assert not (machine / "scratch").exists()


def test_the_machines_own_go_settings_do_not_change_what_is_built(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {"GOFLAGS": "-mod=mod -tags=x", "GOOS": "plan9", "GOARCH": "wasm", "GOWORK": "/x", "GOTOOLCHAIN": "auto"}
    for name, value in {**hostile, "GOPROXY": "https://mirror.test"}.items():
        monkeypatch.setenv(name, value)
    install_go(machine, MAKES_BOTH)
    run(machine)
    given = dict(line.split("=", 1) for line in (machine / "sdk" / "environment").read_text().splitlines())
    assert given["GOFLAGS"].split()[0] == "-mod=readonly"
    assert (given["GOTOOLCHAIN"], given["GOWORK"], given["CGO_ENABLED"]) == ("local", "off", "0")
    assert {"GOOS", "GOARCH"}.isdisjoint(given)
    assert given["GOPROXY"] == "https://mirror.test"
    assert given["GOMODCACHE"].startswith(str(machine / "scratch"))


def test_progress_is_shown_while_it_builds(machine: Path) -> None:
    say_and_wait = "echo 'go: downloading a v1' >&2; echo some/package >&2; sleep 0.5"
    install_go(machine, f"{say_and_wait}; {MAKES_BOTH}")
    said: list[str] = []
    run(machine, said)
    assert any("1 modules downloaded, 1 packages compiled after" in line for line in said)
    assert "is built, after" in said[-1]


def test_without_go_it_says_what_to_install(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine / "path"))
    with pytest.raises(build.BuildError, match=r"there is no Go compiler: install Go 1\.\d+\.\d+ or newer"):
        run(machine)
    assert not (machine / "scratch").exists()


@pytest.mark.parametrize(("version", "named"), [("go1.18.1", "1.18.1"), ("go1.24", "1.24"), ("go1.25.2", "1.25.2")])
def test_an_old_go_is_named(machine: Path, version: str, named: str) -> None:
    install_go(machine, MAKES_BOTH, version)
    with pytest.raises(build.BuildError, match=f"Go {named} is too old: install Go"):
        run(machine)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("a@v1: Get x: dial tcp: lookup proxy.test: no such host", "cannot be fetched .*no such host.*GOPROXY"),
        ("write /tmp/x: no space left on device", "the disk is full"),
        ("./x.go:1:1: syntax error", "syntax error"),
        ("", "without a word"),
    ],
)
def test_a_failed_build_says_why(machine: Path, output: str, sentence: str) -> None:
    install_go(machine, f"echo 'go: downloading b v2' >&2; echo some/package >&2; echo '{output}' >&2; exit 1")
    with pytest.raises(build.BuildError, match=sentence):
        run(machine)


def test_an_interrupt_ends_go_as_well(machine: Path) -> None:
    install_go(machine, f"echo $$ > {machine}/pid; exec sleep 60")
    # A shell that starts tests in the background has them ignore the interrupt.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"from pathlib import Path; from rehearsal.offline.engine import build as b; p = Path({str(machine)!r}); "
    call = "b.build(p / 'bin', '1', p / 'scratch', print)"
    child = subprocess.Popen(
        [sys.executable, "-c", heed + code + call], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    pid = wait_for(machine / "pid")
    child.send_signal(signal.SIGINT)
    child.wait(10)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def wait_for(file: Path) -> int:
    for _ in range(100):
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.1)
    raise AssertionError(f"{file} did not appear")


def test_the_key_changes_with_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "languagehost").mkdir()
    keys = set()
    monkeypatch.setattr(build, "HERE", tmp_path)
    for name in ("go.mod", "go.sum", "languagehost/main.go", "languagehost/packages.py"):
        for file in ("go.mod", "go.sum"):
            (tmp_path / file).touch()
        (tmp_path / name).write_text(name)
        keys.add(build.key())
    assert len(keys) == 4
