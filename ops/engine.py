"""The pulumi engine: the one on PATH, else the official release of the pinned version, else built on this machine.

`ensure` returns the folder to put on PATH; a second call does nothing. `python -m ops.engine pin VERSION` records the
checksums of another release in engine.json.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ops.download import DownloadError, fetch
from ops.errors import OperatorError, reported

ROOT = Path(__file__).resolve().parent.parent
TOOLCHAIN = ROOT / ".toolchain"
PIN = Path(__file__).with_suffix(".json")
RELEASES = "https://get.pulumi.com/releases/sdk"
BUILDER = "rehearsal.offline.engine.build"
HOST = "pulumi-language-python"
# What a Python program needs of the release; the other languages' hosts are 200 MB more.
PROGRAMS = ("pulumi", HOST, f"{HOST}-exec", "pulumi-resource-pulumi-python")

Say = Callable[[str], None]


def ensure(say: Say) -> Path:
    """The folder with `pulumi` and its Python language host, found or made."""
    pin = json.loads(PIN.read_text())
    found = _on_path(pin["version"], say)
    if found:
        return found
    key = f"{pin['version']}-{_platform()}-{_builder_key()}"
    ready = TOOLCHAIN / "bin" / ".engine"
    if ready.is_file() and ready.read_text() == key and _complete(ready.parent):
        return ready.parent
    with _alone(say):
        kept = _cache() / "engine" / key
        if not _complete(kept):
            shutil.rmtree(kept, ignore_errors=True)
            _make(kept, pin, say)
        _install(kept, ready.parent)
        ready.write_text(key)
    return ready.parent


def missing() -> str | None:
    """What has to be installed before an engine can be had: asked before anything is set up."""
    pin = json.loads(PIN.read_text())
    key = f"{pin['version']}-{_platform()}-{_builder_key()}"
    if next(_candidates(), None) or (TOOLCHAIN / "bin" / ".engine").is_file() or (_cache() / "engine" / key).is_dir():
        return None
    reason = _cannot_build()
    if reason is None or _release_answers(pin["version"]):
        return None
    return f"The Pulumi engine can neither be downloaded nor built: {reason}, or install pulumi {pin['version']}."


def _cannot_build() -> str | None:
    if _builder_spec() is None:
        return "this checkout has no rehearsal/offline/"
    builder = importlib.import_module(BUILDER)
    try:
        builder.check_go()
    except builder.BuildError as error:
        return str(error)
    return None


def _release_answers(version: str) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            fetch(f"{RELEASES}/pulumi-{version}-checksums.txt", Path(scratch) / "checksums.txt", lambda _: None)
        except DownloadError:
            return False
    return True


def environment(base: Mapping[str, str], folder: Path) -> dict[str, str]:
    """`base` with the engine in `folder` first on PATH, and without its question for a newer version."""
    path = [str(folder), *(part for part in base.get("PATH", "").split(os.pathsep) if part != str(folder))]
    return {**base, "PATH": os.pathsep.join(part for part in path if part), "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in PROGRAMS)


def _on_path(wanted: str, say: Say) -> Path | None:
    """A pulumi of the person's own, unless it is too old or cannot run Python programs."""
    ours = (TOOLCHAIN / "bin").resolve()
    found = next((path for path in _candidates() if path.parent.resolve() != ours), None)
    if found is None:
        return None
    version = _version(found)
    if version is None or _numbers(version) < _numbers(wanted):
        say(f"{found} is {version or 'not working'}, and {wanted} or newer is needed: not used.")
        return None
    if not any((folder / HOST).exists() for folder in (found.parent, found.resolve().parent)):
        say(f"{found} has no {HOST} beside it: not used.")
        return None
    return found.parent


def _candidates() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which("pulumi", path=folder) if folder else None
        if found:
            yield Path(found)


def _version(pulumi: Path) -> str | None:
    """Asked once for each file: a start of pulumi is slower than all else here."""
    state = pulumi.stat()
    identity = [str(pulumi.resolve()), state.st_mtime_ns, state.st_size]
    memory = TOOLCHAIN / "engine-on-path.json"
    with contextlib.suppress(OSError, ValueError):
        remembered = json.loads(memory.read_text())
        if remembered["file"] == identity:
            return str(remembered["version"])
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=20, check=True)
        version = answer.stdout.strip().lstrip("v")
        if _numbers(version):
            memory.parent.mkdir(exist_ok=True)
            memory.write_text(json.dumps({"file": identity, "version": version}))
            return version
    return None


def _numbers(version: str) -> tuple[int, ...]:
    """3.255.0-alpha.1 counts as 3.255.0: nearer than anything else that could be done."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(part) for part in match.groups()) if match else ()


def _platform() -> str:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    system = platform.system().lower()
    if machine is None or system not in ("linux", "darwin"):
        raise OperatorError(
            f"There is no pulumi for {platform.system()} on {platform.machine()} here: install it by hand "
            "(https://www.pulumi.com/docs/install), or use Linux or macOS."
        )
    return f"{system}-{machine}"


def _cache() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME", "")
    parent = Path(folder) if os.path.isabs(folder) else Path.home() / ".cache"
    return parent / "neurmatic-infrastructure"


@contextlib.contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Two checkouts that set up at once must not build twice."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "engine.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of the engine to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(kept: Path, pin: dict[str, Any], say: Say) -> None:
    """Fills `kept` by the first way that works; it appears whole or not at all."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    for leftover in kept.parent.glob(".making-*"):
        shutil.rmtree(leftover)  # of one that was killed: the lock is ours
    with tempfile.TemporaryDirectory(prefix=".making-", dir=kept.parent) as making:
        folder = Path(making) / "bin"
        folder.mkdir()
        try:
            _release(folder, pin, say)
        except DownloadError as error:
            say(f"The official pulumi {pin['version']} cannot be had: {error}.")
            _build(folder, pin["version"], str(error), say)
        folder.rename(kept)


def _release(folder: Path, pin: dict[str, Any], say: Say) -> None:
    checksum = pin["sha256"].get(_platform(), "")
    if not checksum:
        raise DownloadError(f"{PIN.name} has no checksum for {_platform()} (`python -m ops.engine pin` records them)")
    archive = folder.parent / "release.tar.gz"
    started = time.monotonic()
    say(f"Downloading pulumi {pin['version']} for {_platform()} (about 120 MB)")
    fetch(f"{RELEASES}/pulumi-v{pin['version']}-{_platform()}.tar.gz", archive, say)
    if _sha256(archive) != checksum:
        raise DownloadError("what was downloaded is not that release, its SHA-256 differs")
    _unpack(archive, folder)
    say(f"pulumi {pin['version']} is downloaded and checked, after {time.monotonic() - started:.0f} s")


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    """Only the programs we know, as plain files: no name in the archive decides where anything is written."""
    with tarfile.open(archive) as release:
        for name in PROGRAMS:
            try:
                content = release.extractfile(f"pulumi/{name}")
            except KeyError:
                content = None
            if content is None:
                raise DownloadError(f"there is no {name} in the archive")
            with content, (folder / name).open("wb") as program:
                shutil.copyfileobj(content, program)
            (folder / name).chmod(0o755)


def _builder_key() -> str:
    spec = _builder_spec()
    return "release" if spec is None else str(importlib.import_module(BUILDER).key())


def _builder_spec() -> object | None:
    """rehearsal/offline/ may be deleted: then there are only the first two ways."""
    try:
        return importlib.util.find_spec(BUILDER)
    except ModuleNotFoundError:
        return None


def _build(folder: Path, version: str, reason: str, say: Say) -> None:
    install = f"install pulumi {version} or newer (https://www.pulumi.com/docs/install)"
    if _builder_spec() is None:
        raise OperatorError(f"There is no pulumi on PATH, and no release because {reason}: {install}.")
    builder = importlib.import_module(BUILDER)
    try:
        builder.build(folder, version, TOOLCHAIN / "go", say)
    except builder.BuildError as error:
        raise OperatorError(f"pulumi cannot be built on this machine: {error}; or {install}.") from None


def _install(kept: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for program in kept.iterdir():
        fresh = folder / f".{program.name}.new"
        fresh.unlink(missing_ok=True)
        try:
            os.link(program, fresh)
        except OSError:  # the cache is on another file system
            shutil.copy2(program, fresh)
        fresh.replace(folder / program.name)
        fresh.unlink(missing_ok=True)  # renaming a file onto a hard link of itself does nothing


def pin(version: str, say: Say) -> None:
    """Write engine.json for a release, from the checksums that Pulumi publishes with it."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "checksums.txt"
        try:
            fetch(f"{RELEASES}/pulumi-{version}-checksums.txt", file, say)
        except DownloadError as error:
            raise OperatorError(f"The checksums of pulumi {version} cannot be had: {error}.") from None
        lines = [line.split() for line in file.read_text().splitlines()]
    published = {words[1]: words[0] for words in lines if len(words) == 2}
    wanted = [f"{system}-{machine}" for system in ("darwin", "linux") for machine in ("arm64", "x64")]
    names = {name: f"pulumi-v{version}-{name}.tar.gz" for name in wanted}
    if missing := [name for name in names.values() if name not in published]:
        raise OperatorError(f"Pulumi publishes no checksum for {missing[0]}: is {version} a release?")
    checksums = {name: published[file] for name, file in names.items()}
    PIN.write_text(json.dumps({"version": version, "sha256": checksums}, indent=2) + "\n")


def main(arguments: list[str]) -> None:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if len(arguments) in (1, 2) and arguments[0] == "pin":
        pin((arguments[1:] or [json.loads(PIN.read_text())["version"]])[0].lstrip("v"), say)
    elif not arguments:
        print(ensure(say))
    else:
        raise OperatorError("Use `python -m ops.engine` (set up) or `python -m ops.engine pin [VERSION]`.")


if __name__ == "__main__":
    with reported():
        main(sys.argv[1:])
