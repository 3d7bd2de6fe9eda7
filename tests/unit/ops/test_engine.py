"""Which engine is taken, and what is said when there is none."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ops import download, engine
from ops.errors import OperatorError

VERSION = "3.255.0"


class Answers(BaseHTTPRequestHandler):
    """A release server: /good, /slow, /broken; nothing else exists."""

    body = b""

    def do_GET(self) -> None:
        if "slow" in self.path:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x")
            time.sleep(30)
        elif "broken" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif "missing" in self.path:
            self.send_error(403)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.body)))
            self.end_headers()
            self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as serving:
        serving.daemon_threads = True
        Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        serving.block_on_close = False


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Path:
    """A machine of its own: nothing on PATH, nothing kept, a release server on loopback, no builder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(engine, "TOOLCHAIN", tmp_path / "toolchain")
    monkeypatch.setattr(engine, "PIN", tmp_path / "engine.json")
    monkeypatch.setattr(engine, "RELEASES", server)
    monkeypatch.setattr(engine, "BUILDER", "rehearsal.deleted.build")
    (tmp_path / "path").mkdir()
    publish(tmp_path, archive({name: b"#!" + name.encode() for name in engine.PROGRAMS}))
    return tmp_path


def archive(files: dict[str, bytes], folder: str = "pulumi/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as release:
        for name, content in files.items():
            entry = tarfile.TarInfo(folder + name)
            entry.size = len(content)
            release.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def publish(machine: Path, body: bytes, checksum: str | None = None) -> None:
    Answers.body = body
    digest = hashlib.sha256(body).hexdigest() if checksum is None else checksum
    pin = {"version": VERSION, "sha256": {engine._platform(): digest}}
    (machine / "engine.json").write_text(json.dumps(pin))


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def own_pulumi(machine: Path, version: str, host: bool = True) -> Path:
    count = machine / "starts"
    if host:
        program(machine / "path" / engine.HOST, "#!/bin/sh\n")
    return program(machine / "path" / "pulumi", f"#!/bin/sh\necho start >> {count}\necho v{version}\n")


Said = list[str]


def test_an_own_pulumi_is_used_and_asked_for_its_version_once(machine: Path) -> None:
    own_pulumi(machine, "3.300.1")
    said: Said = []
    assert [engine.ensure(said.append) for _ in range(3)] == [machine / "path"] * 3
    assert (machine / "starts").read_text().count("start") == 1
    assert said == []
    assert not (machine / "cache").exists()


def test_an_upgraded_pulumi_is_asked_again(machine: Path) -> None:
    own_pulumi(machine, "3.254.9")
    assert engine.ensure(lambda _: None) == machine / "toolchain" / "bin"
    own_pulumi(machine, "3.256.0-rc.1")
    assert engine.ensure(lambda _: None) == machine / "path"


@pytest.mark.parametrize(
    ("version", "host", "reason"),
    [("3.254.9", True, "is 3.254.9, and 3.255.0 or newer"), ("nonsense", True, "not working"),
     ("3.255.0", False, "no pulumi-language-python beside it")],
)  # fmt: skip
def test_an_unfit_pulumi_is_named_and_the_release_is_taken(
    machine: Path, version: str, host: bool, reason: str
) -> None:
    own_pulumi(machine, version, host)
    said: Said = []
    folder = engine.ensure(said.append)
    assert reason in said[0]
    assert (folder / "pulumi").read_bytes() == b"#!pulumi"


def test_our_own_folder_on_path_is_not_taken_for_the_persons(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = engine.ensure(lambda _: None)
    monkeypatch.setenv("PATH", str(folder))
    said: Said = []
    assert engine.ensure(said.append) == folder
    assert said == []


def test_the_release_is_fetched_once_for_two_checkouts(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: Said = []
    first = engine.ensure(said.append)
    assert {file.name for file in first.iterdir()} == {*engine.PROGRAMS, ".engine"}
    assert all(os.access(first / name, os.X_OK) for name in engine.PROGRAMS)
    assert said
    Answers.body = b"gone"
    monkeypatch.setattr(engine, "TOOLCHAIN", machine / "second")
    said.clear()
    assert (engine.ensure(said.append) / "pulumi").read_bytes() == b"#!pulumi"
    assert said == []


def test_what_is_in_place_already_is_put_there_again_without_a_trace(machine: Path) -> None:
    folder = engine.ensure(lambda _: None)
    (folder / ".engine").unlink()
    assert engine.ensure(lambda _: None) == folder
    assert {file.name for file in folder.iterdir()} == {*engine.PROGRAMS, ".engine"}


@pytest.mark.parametrize("lost", ["toolchain/bin", "cache/neurmatic-infrastructure/engine/*"])
def test_a_program_that_got_lost_is_put_back(machine: Path, lost: str) -> None:
    folder = engine.ensure(lambda _: None)
    for program in (folder / "pulumi", next(machine.glob(lost)) / "pulumi"):
        program.unlink(missing_ok=True)
    assert (engine.ensure(lambda _: None) / "pulumi").read_bytes() == b"#!pulumi"


def test_a_second_run_takes_no_time(machine: Path) -> None:
    engine.ensure(lambda _: None)
    started = time.perf_counter()
    engine.ensure(lambda _: None)
    assert time.perf_counter() - started < 0.05


def test_a_release_that_is_not_the_pinned_one_is_never_unpacked(machine: Path) -> None:
    publish(machine, archive(dict.fromkeys(engine.PROGRAMS, b"evil")), checksum="0" * 64)
    with pytest.raises(OperatorError, match=r"its SHA-256 differs: install pulumi 3\.255\.0 or newer"):
        engine.ensure(lambda _: None)
    assert not list((machine / "cache").rglob("pulumi*"))
    assert not (machine / "toolchain" / "bin").exists()


def test_names_in_an_archive_decide_nothing(machine: Path) -> None:
    publish(machine, archive({"pulumi": b"x", "../../../evil": b"x"}))
    with pytest.raises(OperatorError, match="no pulumi-language-python in the archive"):
        engine.ensure(lambda _: None)
    assert not list(machine.rglob("evil"))


def test_without_a_checksum_nothing_is_downloaded(machine: Path) -> None:
    publish(machine, b"", checksum="")
    with pytest.raises(OperatorError, match=r"no checksum for .*ops\.engine pin"):
        engine.ensure(lambda _: None)


def test_a_killed_set_up_leaves_nothing_behind(machine: Path) -> None:
    leftover = machine / "cache" / "neurmatic-infrastructure" / "engine" / ".making-x" / "bin" / "pulumi"
    program(leftover, "half")
    folder = engine.ensure(lambda _: None)
    assert (folder / "pulumi").read_bytes() == b"#!pulumi"
    assert not leftover.parents[1].exists()


def test_two_at_once_make_it_once(machine: Path) -> None:
    said: Said = []
    threads = [Thread(target=engine.ensure, args=(said.append,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Downloading" in line for line in said) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [("slow", "only 0.0 MB arrived"), ("broken", "broke after 10 of 1000 bytes"), ("missing", "answered 403")],
)
def test_a_download_that_fails_is_given_up_and_says_why(server: str, tmp_path: Path, path: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(download.DownloadError, match=reason):
        download.fetch(f"{server}/{path}", tmp_path / "file", lambda _: None, window=1.0)
    assert time.monotonic() - started < 3
    if path == "slow":
        assert not (tmp_path / "file").exists()


def test_ten_seconds_are_the_most_that_a_dead_server_costs() -> None:
    assert download.WINDOW_SECONDS <= 10


def test_a_refused_connection_costs_nothing(tmp_path: Path, server: str) -> None:
    with pytest.raises(download.DownloadError, match="cannot be reached"):
        download.fetch("http://127.0.0.1:1/x", tmp_path / "file", lambda _: None)


@pytest.mark.parametrize("system", ["Windows", "Plan9"])
def test_an_unknown_machine_gets_a_sentence(machine: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    with pytest.raises(OperatorError, match=f"no pulumi for {system}"):
        engine.ensure(lambda _: None)


def test_the_environment_puts_the_engine_first_once(tmp_path: Path) -> None:
    base = {"PATH": f"/usr/bin{os.pathsep}{tmp_path}", "HOME": "/home/x"}
    assert engine.environment(base, tmp_path) == {
        "PATH": f"{tmp_path}{os.pathsep}/usr/bin",
        "HOME": "/home/x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    assert engine.environment({}, tmp_path)["PATH"] == str(tmp_path)


def test_pin_records_the_published_checksums(machine: Path) -> None:
    names = [f"pulumi-v9.9.9-{name}.tar.gz" for name in ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64")]
    Answers.body = "".join(f"{name[-20:]}  {name}\n" for name in [*names, "pulumi-v9.9.9-windows-x64.zip"]).encode()
    engine.pin("9.9.9", lambda _: None)
    pin = json.loads(engine.PIN.read_text())
    assert pin["version"] == "9.9.9"
    assert pin["sha256"]["linux-arm64"] == names[1][-20:]
    assert sorted(pin["sha256"]) == ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"]
    Answers.body = b""
    with pytest.raises(OperatorError, match="publishes no checksum"):
        engine.pin("9.9.9", lambda _: None)


def test_the_pin_fits_the_sdk_and_the_modules() -> None:
    version = json.loads(Path(engine.__file__).with_suffix(".json").read_text())["version"]
    assert f"\npulumi=={version} " in (engine.ROOT / "requirements.txt").read_text()
    modules = engine.ROOT / "rehearsal" / "offline" / "engine" / "go.mod"
    if modules.exists():
        for part in ("pkg", "sdk"):
            assert f"github.com/pulumi/pulumi/{part}/v3 v{version}" in modules.read_text()
