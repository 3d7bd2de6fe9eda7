"""The image of a freshly delivered server: built once by debootstrap, cached by its content."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import DockerError, docker, refusal
from rehearsal.images import unused
from rehearsal.machine.releases import Release

FILES = Path(__file__).parent / "files"
BUILD_SCRIPT = FILES / "build-base.sh"
IMAGE_LABEL = "neurmatic.rehearsal.machine-image"
STAND_IN_LABEL = "neurmatic.rehearsal.image"  # what rehearsal/images makes for the engine inside
RELEASE_LABEL = "neurmatic.rehearsal.release"
BUILDER_LABEL = "neurmatic.rehearsal.builder"
AUTHORITIES = Path("/usr/local/share/ca-certificates")
LOCKS = TOOLCHAIN / "rehearsal" / "locks"
REPOSITORY = "neurmatic-rehearsal"
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
BUILD_SECONDS = 900
UNREACHABLE = 3  # exit status of build-base.sh
UNPROVEN = "-unproven"
BROKEN_PIPE = 141  # its tar, when the import has given up

# Debian's own image, where this user is not root (or this is no Linux) and a registry can be reached.
BUILDER_IMAGE = "debian:bookworm-slim"
INSTALL = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends"


def base_key(release: Release) -> str:
    """Everything that goes into the base image decides its name, so that a change makes a new one."""
    content = [*release.build_arguments(), platform.machine(), BUILD_SCRIPT.read_text(), *_carried_over()]
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:12]


def _carried_over() -> list[str]:
    """What build-base.sh takes from this machine: how apt reaches its archive, and extra certificate authorities."""
    if not _builds_itself() or not shutil.which("apt-config"):
        return []
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in settings.splitlines() if line.startswith("Acquire::")]
    return [*lines, *(path.read_text() for path in sorted(AUTHORITIES.glob("*.crt")))]


def _builds_itself() -> bool:
    """Whether debootstrap can run right here; elsewhere it runs in a container."""
    return platform.system() == "Linux" and os.geteuid() == 0


def image_name(release: Release, packages: Sequence[str] = ()) -> str:
    key = base_key(release)
    if packages:
        key += "-" + hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:8]
    return f"{REPOSITORY}/{release.name}:{key}"


def ensure_image(release: Release, packages: Sequence[str] = ()) -> str:
    """The name of an image that exists now: the delivered server, with some packages installed if asked for."""
    _check_packages(packages)
    name, base = image_name(release, packages), image_name(release)
    for one in (name, base):
        unused.used(one)
    if _exists(name):
        return name
    with _one_build_at_a_time(release):
        if not _exists(base):
            _build_base(release, base)
            _forget_older(release, keep=base_key(release))
        if not _exists(name):
            _add_packages(release, base, name, packages)
    return name


def cached_images() -> list[str]:
    """The images of machines, not those that stand in for a registry's."""
    return _labelled(IMAGE_LABEL)


def _labelled(label: str) -> list[str]:
    listed = docker("image", "ls", "--filter", f"label={label}", "--format", "{{.Repository}}:{{.Tag}}")
    return listed.splitlines()


def remove_images() -> list[str]:
    """All images that rehearsals have cached, and what a killed build has left; what became of each."""
    _remove_builders()
    return [_remove_image(name) for label in (IMAGE_LABEL, STAND_IN_LABEL) for name in _labelled(label)]


def _remove_image(name: str) -> str:
    try:
        docker("image", "rm", name)
    except DockerError as error:
        return f"Image {name} stays: {error}"
    return f"Image {name} is gone."


def _check_packages(packages: Sequence[str]) -> None:
    for package in packages:
        if not PACKAGE.fullmatch(package):
            raise RehearsalError(f"'{package}' is no package name: give names as apt-get install takes them.")


def _exists(name: str) -> bool:
    return docker("image", "ls", "--quiet", name) != ""


def _build_base(release: Release, name: str) -> None:
    # Under another name until the build has said that the stream was whole: an empty one imports as well.
    unproven = name + UNPROVEN
    try:
        with _running_build(release) as (build, log):
            imported = _import(
                build, unproven, [f"{IMAGE_LABEL}={base_key(release)}", f"{RELEASE_LABEL}={release.name}"]
            )
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"The base image of {release.name} was not ready within {BUILD_SECONDS} s.") from None
    if imported.returncode == 0 and build.returncode == 0:
        docker("tag", unproven, name)
        docker("image", "rm", unproven)
        return
    if imported.returncode == 0:
        docker("image", "rm", "--force", unproven)
    if build.returncode in (0, BROKEN_PIPE):
        raise DockerError(refusal("import", imported.stderr))
    raise RehearsalError(_build_failure(release, build.returncode, log))


def _import(build: subprocess.Popen[bytes], name: str, labels: Sequence[str]) -> subprocess.CompletedProcess[str]:
    changes = [part for label in labels for part in ("--change", f"LABEL {label}")]
    return subprocess.run(
        ["docker", "import", *changes, "-", name],
        stdin=build.stdout,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )


@contextmanager
def _running_build(release: Release) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """The build, its tar stream open and its messages collected beside it; ended in any case."""
    log: list[str] = []
    with tempfile.TemporaryFile() as messages:
        build = subprocess.Popen(
            _build_command(release), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
        )
        try:
            yield build, log
            if build.stdout:  # an import that gave up must not leave tar waiting for a reader
                build.stdout.close()
            build.wait(timeout=60)
        finally:
            build.kill()
            build.wait()
            messages.seek(0)
            log += messages.read().decode(errors="replace").splitlines()


def _build_failure(release: Release, status: int, log: Sequence[str]) -> str:
    telling = [line for line in log if line.startswith(("E:", "W:", "mount", "tar", "docker:"))] or list(log)
    reason = " ".join(telling[-2:]) or "it said nothing"
    if status == UNREACHABLE:
        variable = f"REHEARSAL_{release.name.split('-')[0].upper()}_MIRROR"
        return (
            f"The archive of {release.name} cannot be reached ({reason}): "
            f"name another one in {variable}, or rehearse on another release."
        )
    return f"The base image of {release.name} could not be built: {reason}."


def _build_command(release: Release) -> list[str]:
    arguments = release.build_arguments()
    if _builds_itself():
        _ensure_debootstrap()
        own_namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return [*own_namespaces, "sh", str(BUILD_SCRIPT), *arguments]
    inside = f'{INSTALL} debootstrap ca-certificates >&2 && exec sh /build-base.sh "$@"'
    return [
        *("docker", "run", "--rm", "--label", f"{BUILDER_LABEL}={release.name}", "--cap-add", "SYS_ADMIN"),
        *("--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined"),
        *("--volume", f"{BUILD_SCRIPT}:/build-base.sh:ro", BUILDER_IMAGE, "sh", "-c", inside, "build"),
        *arguments,
    ]


def _ensure_debootstrap() -> None:
    if shutil.which("debootstrap"):
        return
    command = f"{INSTALL} debootstrap"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not shutil.which("debootstrap"):
        raise RehearsalError("The base image needs debootstrap: apt-get install debootstrap and try again.")


def _add_packages(release: Release, base: str, name: str, packages: Sequence[str]) -> None:
    """A second layer, cached as well: what a converge would otherwise install anew on every machine."""
    install = f'{INSTALL} "$@" && apt-get clean && rm -rf /var/lib/apt/lists/*'
    container = docker(
        *("create", "--label", f"{BUILDER_LABEL}={release.name}", base),
        *("sh", "-c", install, "install", *sorted(packages)),
    )
    try:
        docker("start", "--attach", container, timeout=BUILD_SECONDS)
        labels = f"LABEL {IMAGE_LABEL}={name.rpartition(':')[2]} {RELEASE_LABEL}={release.name}"
        docker("commit", "--change", labels, container, name, timeout=BUILD_SECONDS)
    except DockerError as error:
        asked = " ".join(packages)
        raise RehearsalError(f"The packages '{asked}' could not be installed on the image: {error}") from None
    finally:
        docker("rm", "--force", "--volumes", container)


def _forget_older(release: Release, keep: str) -> None:
    """Images of an earlier content of the same release; one that a machine still uses stays until it is down."""
    for name in cached_images():
        if name.startswith(f"{REPOSITORY}/{release.name}:") and f":{keep}" not in name:
            _remove_image(name)


def _remove_builders(release: Release | None = None) -> None:
    """What a killed build has left: a container, or an image that was never found whole."""
    label = f"{BUILDER_LABEL}={release.name}" if release else BUILDER_LABEL
    for container in docker("ps", "--all", "--quiet", "--filter", f"label={label}").split():
        docker("rm", "--force", "--volumes", container)
    for name in cached_images():
        if name.endswith(UNPROVEN) and (release is None or f"/{release.name}:" in name):
            _remove_image(name)


@contextmanager
def _one_build_at_a_time(release: Release) -> Iterator[None]:
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / release.name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A killed build cannot hold the lock: whatever it left is nobody's now.
        _remove_builders(release)
        yield
