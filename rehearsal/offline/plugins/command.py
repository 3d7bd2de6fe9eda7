"""pulumi-command's local half: commands that run on this machine."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from rehearsal.offline.plugins.kept import Actor, Subject
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import ASSETS, SIGNATURE, UNKNOWN, Found, Values, plain

_running: dict[int, Callable[[], None]] = {}


def stop_all() -> None:
    """End every command that runs, with what it started."""
    for stop in list(_running.values()):
        stop()


@contextlib.contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """Let `stop` be called while something runs."""
    _running[id(stop)] = stop
    try:
        yield
    finally:
        del _running[id(stop)]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Capture:
    """What goes into a command and what comes out; prints the lines that `logging` asks for."""

    log: Callable[[str], None]
    shown: tuple[bool, bool]
    stdin: bytes = b""
    timeout: float | None = None
    together: list[bytes] = field(default_factory=list)
    parts: tuple[list[bytes], list[bytes]] = field(default_factory=lambda: ([], []))

    @classmethod
    def of(cls, subject: Subject, inputs: Values) -> "Capture":
        """Prepare for one command of a resource."""
        logging = inputs.get("logging", "stdoutAndStderr")
        shown = (logging in ("stdout", "stdoutAndStderr"), logging in ("stderr", "stdoutAndStderr"))
        return cls(subject.note, shown, (inputs.get("stdin") or "").encode(), subject.timeout)

    def read(self, stream: IO[bytes], index: int) -> None:
        for line in stream:
            self.parts[index].append(line)
            self.together.append(line)
            if self.shown[index]:
                self.log(line.decode(errors="replace").rstrip("\n"))

    def text(self, index: int) -> str:
        """Give one stream's text without its last line end."""
        return b"".join(self.parts[index]).decode(errors="replace").removesuffix("\n")

    def all(self) -> str:
        """Give both streams' text in the order in which it came."""
        return b"".join(self.together).decode(errors="replace")


def run(subject: Subject, text: str, inputs: Values, previous: Values) -> Values:
    """Run a command to its end and give its outputs; a failure carries all that it wrote."""
    capture = Capture.of(subject, inputs)
    argv = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), text]
    folder = inputs.get("dir") or subject.session.folder
    failure = _execute(argv, folder, _environment(subject, inputs, previous), capture)
    if failure:
        raise Refusal(f"{failure}: running {json.dumps(text, ensure_ascii=False)}:\n{capture.all()}")
    return {"stdout": capture.text(0), "stderr": capture.text(1), **_files(inputs, Path(folder))}


def _environment(subject: Subject, inputs: Values, previous: Values) -> dict[str, str]:
    environment = {**subject.session.environment, **(inputs.get("environment") or {})}
    if inputs.get("addPreviousOutputInEnv", True):
        for name in ("stdout", "stderr"):
            if previous.get(name):
                environment[f"PULUMI_COMMAND_{name.upper()}"] = previous[name]
    return environment


def _execute(argv: list[str], folder: str, environment: dict[str, str], capture: Capture) -> str:
    if not Path(folder).is_dir():
        return f"chdir {folder}: no such file or directory"
    try:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        return f'exec: "{argv[0]}": executable file not found in $PATH'
    except OSError as error:
        return f"fork/exec {argv[0]}: {(error.strerror or '').lower()}"
    with stoppable(lambda: _kill(process)):
        return _follow(process, capture)


def _follow(process: "subprocess.Popen[bytes]", capture: Capture) -> str:
    streams = (process.stdout, process.stderr)
    readers = [threading.Thread(target=capture.read, args=(s, i)) for i, s in enumerate(streams)]
    for reader in readers:
        reader.start()
    assert process.stdin  # noqa: S101 - it is a pipe
    with contextlib.suppress(BrokenPipeError), process.stdin:  # a command need not read its input
        process.stdin.write(capture.stdin)
    try:
        code = process.wait(capture.timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        code = process.wait()
    for reader in readers:
        reader.join()
    if code < 0:
        return f"signal: {signal.strsignal(-code) or -code}".lower()
    return f"exit status {code}" if code else ""


def _files(inputs: Values, folder: Path) -> Values:
    found: Values = {}
    if inputs.get("assetPaths") is not None:
        found["assets"] = _matching(folder, inputs["assetPaths"])
    if inputs.get("archivePaths") is not None:
        found["archive"] = {SIGNATURE: ASSETS[1], "assets": _matching(folder, inputs["archivePaths"])}
    return found


def _matching(folder: Path, globs: list[str]) -> Values:
    """Apply the globs in their order; one that begins with ! takes files away again."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    chosen: set[str] = set()
    for glob in globs:
        pattern = re.compile(_as_regex(glob.removeprefix("!")))
        matched = {name for name in files if pattern.fullmatch(name)}
        chosen = chosen - matched if glob.startswith("!") else chosen | matched
    return {name: _asset(folder / name) for name in sorted(chosen)}


def _asset(path: Path) -> Values:
    return {SIGNATURE: ASSETS[0], "path": str(path), "hash": hashlib.sha256(path.read_bytes()).hexdigest()}


def _as_regex(glob: str) -> str:
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", glob))


class Local(Actor):
    """command.local.Command."""

    def preview(self, subject: Subject, inputs: Values) -> Values:
        """Nothing runs; the outputs are not known."""
        return {**inputs, "stdout": UNKNOWN, "stderr": UNKNOWN}

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        identity = subject.name + secrets.token_hex(4)
        return identity, self._outputs(subject, inputs, plain(inputs).get("create"), {})

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        if preview:
            return self.preview(subject, inputs)
        given = plain(inputs)
        return self._outputs(subject, inputs, given.get("update", given.get("create")), plain(old))

    def _outputs(self, subject: Subject, inputs: Values, text: str | None, previous: Values) -> Values:
        made = {name: previous.get(name, "") for name in ("stdout", "stderr")}
        if text is not None:
            made = self.act(subject, text, plain(inputs), previous)
        return {**inputs, **made}

    def act(self, subject: Subject, text: str, inputs: Values, previous: Values) -> Values:
        return run(subject, text, inputs, previous)

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        """Give the state back: the real plugin has no read either."""
        return state, inputs

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        given = plain(state)
        if given.get("delete") is not None:
            self.act(subject, given["delete"], given, given)


ACTORS = {"command:local:Command": Local()}
