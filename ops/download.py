"""One file from the internet, by a child process that is given up when it hangs: a resolver cannot be timed out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

# A download that brings less than this in ten seconds is refused, hanging, or slower than the next way.
WINDOW_SECONDS = 10.0
LEAST_BYTES = 1_000_000
POLL_SECONDS = 0.1


class DownloadError(Exception):
    """Why it did not arrive; reads on after "because"."""


def fetch(url: str, target: Path, say: Callable[[str], None], window: float = WINDOW_SECONDS) -> None:
    """Returns when `target` holds the whole answer. What was given up is not left behind."""
    command = [sys.executable, "-I", __file__, url, str(target)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            _watch(child, target, say, window)
        except BaseException:
            child.kill()
            target.unlink(missing_ok=True)
            raise


def _watch(child: subprocess.Popen[str], target: Path, say: Callable[[str], None], window: float) -> None:
    started = mark = time.monotonic()
    size_at_mark = 0
    while child.poll() is None:
        time.sleep(POLL_SECONDS)
        now = time.monotonic()
        if now - mark < window:
            continue
        size = target.stat().st_size if target.exists() else 0
        if child.poll() is None and size - size_at_mark < LEAST_BYTES:
            raise DownloadError(f"only {size / 1e6:.1f} MB arrived in {now - started:.0f} s")
        say(f"  {size / 1e6:.0f} MB after {now - started:.0f} s")
        mark, size_at_mark = now, size
    if child.returncode:
        reason = child.stderr.read().strip() if child.stderr else ""
        raise DownloadError(reason or f"the download ended with code {child.returncode}")


def _download(url: str, target: Path) -> None:
    """The child's part."""
    with urllib.request.urlopen(url, timeout=WINDOW_SECONDS) as answer, target.open("wb") as file:  # noqa: S310
        expected = answer.headers.get("Content-Length")
        while chunk := answer.read(1 << 18):
            file.write(chunk)
            file.flush()
        if expected is not None and file.tell() != int(expected):
            raise OSError(f"the connection broke after {file.tell()} of {expected} bytes")


def _child(url: str, target: str) -> int:
    try:
        _download(url, Path(target))
    except urllib.error.HTTPError as error:
        print(f"the server answered {error.code} {error.reason}", file=sys.stderr)
    except urllib.error.URLError as error:
        print(f"the server cannot be reached ({error.reason})", file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(_child(*sys.argv[1:]))
