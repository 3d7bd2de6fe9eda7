"""Programs, each with its exit code looked at: of a pipe, every one of them."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

from components.backup.onhost.problem import BackupError

CHUNK = 1 << 20


def run(argv: Sequence[str], what: str, stdin: bytes = b"", seconds: float | None = None) -> bytes:
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=seconds)
    except FileNotFoundError:
        raise missing(argv[0]) from None
    except subprocess.TimeoutExpired:
        raise BackupError(f"{what}: no answer within {seconds:.0f} s.") from None
    if done.returncode:
        raise BackupError(f"{what}: {last_words(done.stderr)}")
    return done.stdout


@contextlib.contextmanager
def running(
    argv: Sequence[str], what: str, *, first: bool = False, **streams: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Ended with the block, whatever happens. `first`: when a later program fails as well, this one was the cause."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(argv, stderr=errors, **streams)
        except FileNotFoundError:
            raise missing(argv[0]) from None
        try:
            yield process
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
            if process.wait() != 0:
                raise BackupError(f"{what}: {said(errors, process.returncode)}")
        except BrokenPipeError:
            process.wait()
            raise BackupError(f"{what}: {said(errors, process.returncode)}") from None
        except BackupError:
            if first and ended(process) > 0:
                raise BackupError(f"{what}: {said(errors, process.returncode)}") from None
            raise
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def ended(process: subprocess.Popen[bytes]) -> int:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(1)
    return 0


def said(errors: IO[bytes], code: int) -> str:
    errors.seek(0)
    return last_words(errors.read()[-4000:], code)


def last_words(text: bytes, code: int | None = None) -> str:
    """What a program complains of first is the cause, and what it says last is often only that it gave up."""
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    worst = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    ended = "it said nothing" if code is None else f"it ended with {code} and said nothing"
    return (worst or lines or [ended])[0]


def missing(program: str) -> BackupError:
    return BackupError(f"The program {program} is missing on this server: `./infra up` installs it.")


def source(process: subprocess.Popen[Any]) -> IO[Any]:
    """Its output, for those that were started with one."""
    return cast(IO[Any], process.stdout)


def sink(process: subprocess.Popen[Any]) -> IO[Any]:
    return cast(IO[Any], process.stdin)


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK):
        yield piece
