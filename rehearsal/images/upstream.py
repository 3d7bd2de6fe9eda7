"""The official images, where their registry answers."""

from __future__ import annotations

import enum
import os
import sys
import threading
import urllib.error
import urllib.request
from functools import cache

from rehearsal import RehearsalError
from rehearsal.docker import DockerError, docker

DOCKER_HUB = "https://registry-1.docker.io/v2/"
PROBE_SECONDS = 5.0
PULL_SECONDS = 600
VARIABLE = "REHEARSAL_IMAGES"


class Source(enum.Enum):
    AUTO = "auto"
    OFFICIAL = "official"
    BUILT = "built"


def source_from_environment() -> Source:
    word = os.environ.get(VARIABLE, Source.AUTO.value)
    try:
        return Source(word)
    except ValueError:
        words = ", ".join(source.value for source in Source)
        raise RehearsalError(f"{VARIABLE}={word}: say one of {words}.") from None


@cache
def answers(url: str = DOCKER_HUB, seconds: float = PROBE_SECONDS) -> bool:
    """Whether a registry speaks at that address. Resolving a name may hang, so that a thread is asked."""
    found: list[bool] = []
    asking = threading.Thread(target=lambda: found.append(_speaks(url, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return found == [True]


def _speaks(url: str, seconds: float) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - an https constant
            return bool(answer.headers.get("Docker-Distribution-Api-Version"))
    except urllib.error.HTTPError as refusal:  # 401 is how a registry greets a stranger
        return bool(refusal.headers.get("Docker-Distribution-Api-Version"))
    except OSError:
        return False


def pulled(reference: str, source: Source) -> str | None:
    """The official image on this engine, or None where it has to be built."""
    if docker("image", "ls", "--quiet", reference):
        return reference
    if not answers():
        if source is Source.OFFICIAL:
            raise RehearsalError(
                f"{reference} cannot be pulled: {DOCKER_HUB} does not answer within {PROBE_SECONDS:.0f} s. "
                f"Unset {VARIABLE} to build a stand-in from Debian packages."
            )
        return None
    return _pull(reference, source)


def _pull(reference: str, source: Source) -> str | None:
    try:
        docker("pull", "--quiet", reference, timeout=PULL_SECONDS)
    except DockerError as error:
        if source is Source.OFFICIAL:
            raise
        print(f"{error} Building a stand-in for {reference} from Debian packages instead.", file=sys.stderr)
        return None
    return reference
