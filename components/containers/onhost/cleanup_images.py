#!/usr/bin/python3 -IB
"""Removes the product's images that nobody needs any more. Standard library only: it runs on the server, as root.

Kept: the images of the newest releases that were deployed (what `./infra rollback` goes back to, with the registry
down), whatever a container uses, and what has arrived lately (a deploy pulls before it starts anything). Images of
others are never touched, but for the repositories that `--also` names. Without a sound history nothing is removed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
DOCKER = "/var/run/docker.sock"
SECONDS = 120
MB = 1_000_000


class FailureError(Exception):
    """One sentence for the operator; nothing was removed."""


@dataclass(frozen=True)
class Image:
    id: str
    names: frozenset[str]
    """Tags and digests under which it can be had."""
    arrived: float

    def of(self, repositories: Sequence[str]) -> bool:
        """Ours alone: one that somebody else has given a name to as well is his."""
        return bool(self.names) and all(repository_of(name) in repositories for name in self.names)


def main(settings: Mapping[str, Any], arguments: Sequence[str]) -> int:
    given = parsed(arguments)
    with alone(Path(settings["lock"])):
        releases = history(Path(settings["history"]))
        kept = newest(releases, settings["kept_releases"])
        repositories = [*settings["repositories"], *given.also]
        found = images()
        before = layers()
        removable = [each for each in found if may_go(each, found, repositories, kept, settings["grace"])]
        for line in missing(found, kept):
            print(line)
        removed = [name for image in removable for name in removal(image, given.dry_run)]
        freed = 0 if given.dry_run else max(0, before - layers())
    left = ", ".join(sorted({version for version, _ in kept})) or "none"
    word = "would be removed" if given.dry_run else "were removed"
    print(f"{len(removed)} names of {len(removable)} images {word}, {freed / MB:.0f} MB freed; kept releases: {left}.")
    return 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cleanup-images", description="Removes images that no rollback needs.")
    parser.add_argument("--dry-run", action="store_true", help="say what would go")
    parser.add_argument("--also", action="append", default=[], metavar="REPOSITORY", help="whose images go as well")
    return parser.parse_args(arguments)


def history(path: Path) -> list[Mapping[str, Any]]:
    """One line for each deploy, oldest first, as the switch writes them."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        raise FailureError(f"There is no {path}: nothing was deployed yet, so nothing was removed.") from None
    except (OSError, ValueError) as error:
        raise FailureError(f"{path} cannot be read ({error}): nothing was removed.") from None
    found = [release(line, path, number) for number, line in enumerate(lines, 1)]
    if not found:
        raise FailureError(f"{path} is empty: nothing was removed.")
    return found


def release(line: str, path: Path, number: int) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
        good = all(DIGEST.fullmatch(said[part]) for part in ("backend", "frontend")) and bool(said["version"])
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise FailureError(
            f"Line {number} of {path} is no release: nothing was removed. Take that line out, or write it anew: "
            '{"at": ..., "version": ..., "backend": "REPOSITORY@sha256:...", "frontend": "REPOSITORY@sha256:..."}.'
        )
    return dict(said)


def newest(releases: Sequence[Mapping[str, Any]], count: int) -> list[tuple[str, str]]:
    """Version and image; one that was deployed again counts once, by its last time."""
    kept: dict[tuple[str, str], str] = {}
    for each in reversed(releases):
        if len(kept) < count:
            kept.setdefault((untagged(each["backend"]), untagged(each["frontend"])), str(each["version"]))
    return [(version, reference) for references, version in kept.items() for reference in references]


def untagged(reference: str) -> str:
    """Docker knows what was pulled as repository:tag@digest by repository@digest."""
    return f"{repository_of(reference)}@{reference.partition('@')[2]}"


def images() -> list[Image]:
    ids = sorted(set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split()))
    found = json.loads(docker("image", "inspect", *ids)) if ids else []
    return [Image(each["Id"], names_of(each), arrived(each)) for each in found]


def names_of(data: Mapping[str, Any]) -> frozenset[str]:
    names = [*(data.get("RepoTags") or []), *(data.get("RepoDigests") or [])]
    return frozenset(name for name in names if "<none>" not in name)


def arrived(data: Mapping[str, Any]) -> float:
    """When this server got it. The date inside is that of its build; Docker's own record came with the image."""
    record = Path("/var/lib/docker/image/overlay2/imagedb/content/sha256") / data["Id"].partition(":")[2]
    with contextlib.suppress(OSError):
        return float(record.stat().st_mtime)
    tagged = (data.get("Metadata") or {}).get("LastTagTime", "")
    found = re.match(r"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)", tagged)
    # Not known: then it is not young. What runs and what is in the history stays anyway.
    return time.mktime(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")) if found else 0.0


def repository_of(name: str) -> str:
    """ghcr.io/owner/app@sha256:... and ghcr.io:5000/owner/app:tag without what comes after."""
    name = name.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def may_go(
    image: Image, found: Sequence[Image], repositories: Sequence[str], kept: Sequence[tuple[str, str]], grace: float
) -> bool:
    return (
        image.of(repositories)
        and not image.names & {reference for _, reference in kept}
        and image.id not in used()
        and time.time() - image.arrived >= grace
    )


def used() -> set[str]:
    """By any container, a stopped one as well: asked anew for each image, since a deploy may be under way."""
    ids = docker("ps", "--all", "--quiet", "--no-trunc").split()
    asked = ["inspect", "--type", "container", "--format", "{{.Image}}", *ids]
    return set(docker(*asked, check=False).split()) if ids else set()


def missing(found: Sequence[Image], kept: Sequence[tuple[str, str]]) -> Iterator[str]:
    there = {name for image in found for name in image.names}
    for version, reference in kept:
        if reference not in there:
            yield f"{version}: {reference} is not on this server: going back to it would need the registry."


def removal(image: Image, dry: bool) -> Iterator[str]:
    """Name by name and never by force: Docker itself refuses what is in use by then."""
    for name in sorted(image.names):
        if dry:
            print(f"would remove {name}")
            yield name
            continue
        done = subprocess.run(["docker", "image", "rm", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            print(f"removed {name}")
            yield name
        elif "No such image" not in done.stderr:
            print(f"kept {name}: {done.stderr.strip().splitlines()[-1]}")


def layers() -> int:
    """Bytes of all layers, each counted once: images share most of theirs."""
    connection = http.client.HTTPConnection("localhost", timeout=SECONDS)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(SECONDS)
    try:
        connection.sock.connect(DOCKER)
        connection.request("GET", "/system/df?type=image")
        return int(json.loads(connection.getresponse().read())["LayersSize"])
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        raise FailureError(f"Docker does not say how much its images take ({error}): nothing was removed.") from None
    finally:
        connection.close()


def docker(*arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailureError(f"Docker does not answer ({type(error).__name__}): nothing more was removed.") from None
    if check and done.returncode:
        raise FailureError(f"Docker refuses: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return done.stdout


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FailureError("Another cleanup is under way.") from None
        yield


if __name__ == "__main__":
    os.umask(0o077)
    try:
        here = Path(__file__).resolve()
        sys.exit(main(json.loads(here.with_name(f"{here.name}.json").read_text()), sys.argv[1:]))
    except FailureError as failure:
        sys.exit(str(failure))
    except (OSError, ValueError) as error:
        sys.exit(f"Nothing was removed: {error}. This is for root, after `./infra up`.")
