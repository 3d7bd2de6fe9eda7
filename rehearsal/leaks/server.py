"""Looking for secrets on a server: in files that everyone can read, logs, containers, images, and what runs.

Runs on the server (standard library only), as root. The forms to look for come in by standard input, and go nowhere.

    files      below the folders that are named, those that everyone can read
    engine     containers, images and their histories, as Docker shows them
    logs       the journal and the logs of containers and nginx
    processes  command lines and environments, as `nobody` sees them, until standard input ends
"""

import base64
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

LARGEST = 64 * 2**20
NOBODY = 65534
ENOUGH = 10
Needles = list[tuple[str, bytes]]


def main(what: str, folders: list[str]) -> None:
    if what == "processes":
        processes()
        return
    needles = [(name, base64.b64decode(written)) for name, written in json.loads(sys.stdin.readline())]
    looked = {"files": lambda: files(folders), "engine": engine, "logs": logs}[what]()
    count = 0
    for place, text in looked:
        count += 1
        for name, written in needles:
            if written in text:
                print(json.dumps([name, place]))
    print(json.dumps(count))


def files(folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Readable by everyone, the folders above as well; a file that grew too large is looked at as far as it goes."""
    for folder in folders:
        yield from below(folder)


def below(folder: str) -> Iterator[tuple[str, bytes]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IXOTH:
            yield from below(entry.path)
        elif stat.S_ISREG(mode) and mode & stat.S_IROTH:
            with open(entry.path, "rb") as file:
                yield entry.path, file.read(LARGEST)


def engine() -> Iterator[tuple[str, bytes]]:
    for container in lines("docker", "ps", "--all", "--quiet"):
        yield f"docker inspect {container}", said("docker", "inspect", container)
    for image in set(lines("docker", "images", "--quiet")):
        yield f"docker history {image}", said("docker", "history", "--no-trunc", image)
        yield f"docker inspect {image}", said("docker", "inspect", image)


def logs() -> Iterator[tuple[str, bytes]]:
    yield "journalctl", said("journalctl", "--no-pager", "--output", "cat")
    for container in lines("docker", "ps", "--all", "--quiet"):
        yield f"docker logs {container}", said("docker", "logs", container)


def lines(*command: str) -> list[str]:
    return said(*command).decode().split()


def said(*command: str) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout


def processes() -> None:
    """What nobody sees is what everybody sees. Each text once, as base64 lines, when the one who asked has enough."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    seen: set[bytes] = set()
    enough = threading.Event()
    threading.Thread(target=until_the_end, args=(enough,), daemon=True).start()
    print("looking", flush=True)
    looks: dict[str, int] = {}
    while not enough.is_set():
        looks = sample(seen, looks)
        time.sleep(0.02)
    for text in seen:
        print(base64.b64encode(text).decode())


def until_the_end(enough: threading.Event) -> None:
    sys.stdin.read()
    enough.set()


def sample(seen: set[bytes], looks: dict[str, int]) -> dict[str, int]:
    """A process becomes another program soon after its start, if at all: later looks would only take time."""
    counted = {process: looks.get(process, 0) + 1 for process in os.listdir("/proc") if process.isdigit()}
    for process, count in counted.items():
        if count <= ENOUGH:
            for kind in ("cmdline", "environ"):
                try:
                    seen.add(Path(f"/proc/{process}/{kind}").read_bytes())
                except OSError:
                    continue
    return counted


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
