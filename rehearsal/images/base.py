"""The image that all others stand on where no registry answers: a debootstrap tree, imported."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rehearsal import RehearsalError
from rehearsal.docker import docker

SUITE = "bookworm"
DEBOOTSTRAP_SECONDS = 900

FILES = {
    # Packages must not start services while an image is being built.
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
    # A layer is thrown away when its build fails: no need to wait for the disk after every file.
    "etc/dpkg/dpkg.cfg.d/fast": "force-unsafe-io\n",
    "etc/dpkg/dpkg.cfg.d/small": "path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n",
    "etc/apt/apt.conf.d/small": (
        'Acquire::Languages "none";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n'
    ),
}


def tag() -> str:
    content = repr((SUITE, sources(""), sorted(FILES.items())))
    return f"rehearsal/base:{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def ensure_base() -> str:
    """The base image's tag; made on the first call, which needs root and debootstrap."""
    if not docker("image", "ls", "--quiet", tag()):
        _refuse_without_tools()
        with tempfile.TemporaryDirectory(prefix="rehearsal-base-") as scratch:
            tree = Path(scratch) / "tree"
            _debootstrap(tree)
            _settle(tree)
            _import(tree)
    return tag()


def can_build() -> bool:
    return os.geteuid() == 0 and any(shutil.which(tool) for tool in ("debootstrap", "apt-get"))


def _refuse_without_tools() -> None:
    if os.geteuid() != 0:
        raise RehearsalError(
            "No image registry can be reached, and building images from Debian packages needs root: "
            "run this as root, or where https://registry-1.docker.io can be reached."
        )
    if shutil.which("debootstrap") is None:
        _install_debootstrap()


def _install_debootstrap() -> None:
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "-q", "debootstrap"]
    if shutil.which("apt-get") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise RehearsalError("The program 'debootstrap' is missing: install it (apt-get install debootstrap).")


def _debootstrap(tree: Path) -> None:
    # From Debian's own archive, as debootstrap knows it.
    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(tree)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEBOOTSTRAP_SECONDS)
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"debootstrap of {SUITE} did not end within {DEBOOTSTRAP_SECONDS} s.") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise RehearsalError(f"debootstrap of {SUITE} failed: {' '.join(last)}")


def sources(archive: str) -> str:
    return (
        f"deb {archive} {SUITE} main\n"
        f"deb {archive} {SUITE}-updates main\n"
        f"deb {archive}-security {SUITE}-security main\n"
    )


def _settle(tree: Path) -> None:
    listed = tree / "etc/apt/sources.list"
    listed.write_text(sources(listed.read_text().split()[1]))
    for name, text in FILES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tree / "usr/sbin/policy-rc.d").chmod(0o755)
    for waste in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / waste, ignore_errors=True)
        (tree / waste / "partial").mkdir(parents=True)


def _import(tree: Path) -> None:
    """Through a pipe: the tree as a file would need its size once more on the disk."""
    settings = ["--change", 'CMD ["bash"]', "--change", "LABEL neurmatic.rehearsal.image=base"]
    with subprocess.Popen(["tar", "--numeric-owner", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as archive:
        done = subprocess.run(
            ["docker", "import", *settings, "-", tag()],
            stdin=archive.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if archive.returncode != 0 or done.returncode != 0:
        raise RehearsalError(f"The base image could not be imported: {done.stderr.strip() or 'tar failed'}")
