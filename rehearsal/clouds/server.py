"""The process behind a rehearsal's clouds. It ends when told to, unused, orphaned, or when its folder is gone."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from rehearsal import RehearsalError
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.faults import Api, Faults, with_faults
from rehearsal.clouds.state import Document
from rehearsal.clouds.wire import Answer, Listener, Request, Response

ANNOUNCEMENT = "running.json"
LOCK = "server.lock"
TICK = 0.5
KEY_ID = "AKIAREHEARSAL" + "0" * 7
"""The root key of every rehearsal's AWS account; its secret is the rehearsal's own."""


class Life:
    """When the process has to end."""

    def __init__(self, folder: Path, idle: float, owner: int | None) -> None:
        self._folder, self._idle, self._owner = folder, idle, owner
        self._used = time.monotonic()
        self._inode = folder.stat().st_ino
        self.over = threading.Event()

    def noticing(self, answer: Answer) -> Answer:
        def used(request: Request) -> Response:
            self._used = time.monotonic()
            try:
                return answer(request)
            finally:
                self._used = time.monotonic()

        return used

    def wait(self) -> None:
        while not self.over.wait(TICK):
            if time.monotonic() - self._used > self._idle or self._orphaned() or self.homeless():
                return

    def _orphaned(self) -> bool:
        if self._owner is None:
            return False
        try:
            os.kill(self._owner, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def homeless(self) -> bool:
        """Removed, or removed and made anew by another rehearsal."""
        try:
            return self._folder.stat().st_ino != self._inode
        except FileNotFoundError:
            return True


def serve(folder: Path, idle: float, owner: int | None) -> None:
    lock = _only_one(folder)
    life = Life(folder, idle, owner)
    signal.signal(signal.SIGTERM, lambda *_: life.over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the person's command; it decides about the clouds
    keys = _keys(folder)
    listeners = _listeners(folder, keys, life)
    for listener in listeners.values():
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    ports = {name: listener.server_port for name, listener in listeners.items()}
    _announce(folder, {"pid": os.getpid(), "ports": ports, **keys})
    life.wait()
    # No farewell to those who wait for an answer: what was answered is in the files, what was not is not.
    if not life.homeless():
        (folder / ANNOUNCEMENT).unlink(missing_ok=True)
    lock.close()


def _only_one(folder: Path) -> IO[str]:
    lock = (folder / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RehearsalError(f"{folder}: other clouds already run there.") from None
    return lock


def _keys(folder: Path) -> dict[str, str]:
    """Made once for a rehearsal: with another one's keys nobody gets in."""
    document = Document(folder / "keys.json", "keys of a rehearsal's clouds")
    if not document.value:
        document.value = {
            "aws_key": KEY_ID,
            "aws_secret": secrets.token_hex(20),
            "cloudflare_token": secrets.token_hex(20),
            "control": secrets.token_hex(20),
        }
        document.save()
        document.path.chmod(0o600)
    return {name: str(value) for name, value in document.value.items()}


def _listeners(folder: Path, keys: dict[str, str], life: Life) -> dict[str, Listener]:
    from rehearsal.clouds.aws.context import as_plain, as_tls  # noqa: PLC0415
    from rehearsal.clouds.aws.front import Aws  # noqa: PLC0415 - moto takes a second; `--help` should not
    from rehearsal.clouds.cloudflare.api import Cloudflare  # noqa: PLC0415
    from rehearsal.clouds.control import Clouds, Control  # noqa: PLC0415

    clock_file = Document(folder / "clock.json", "clock of a rehearsal")
    clock, faults = Clock(float(clock_file.value.get("skipped", 0.0))), Faults()
    clock.kept_by(_keeper(clock_file))
    cloudflare = Cloudflare(folder / "cloudflare", keys["cloudflare_token"], clock)
    aws = Aws(folder / "aws", (keys["aws_key"], keys["aws_secret"]), clock)
    control = Control(keys["control"], faults, clock, Clouds(aws, cloudflare), life.over.set)

    def listener(api: Api, around: Callable[[Answer], Answer]) -> Listener:
        return Listener(life.noticing(control.before(around(with_faults(api, faults)))))

    return {
        "aws": listener(aws, as_tls),
        "aws_without_tls": listener(aws, as_plain),
        "cloudflare": listener(cloudflare, as_tls),
    }


def _keeper(document: Document) -> Callable[[float], None]:
    def keep(skipped: float) -> None:
        document.value = {"skipped": skipped}
        document.save()

    return keep


def _announce(folder: Path, content: dict[str, object]) -> None:
    draft = folder / f".{ANNOUNCEMENT}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content))
    draft.replace(folder / ANNOUNCEMENT)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.clouds.server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle", type=float, default=900.0)
    parser.add_argument("--owner", type=int)
    options = parser.parse_args(arguments)
    try:
        serve(options.folder, options.idle, options.owner)
    except RehearsalError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.flush()
    os._exit(0)  # taking moto's modules down one by one would take longer than all the rest of the end


if __name__ == "__main__":
    sys.exit(main())
