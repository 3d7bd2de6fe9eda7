"""The server as the script sees it: its files below one root, and its programs."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAP_SYS_RESOURCE = 1 << 24


class Trouble(Exception):  # noqa: N818 (it is what a person reads, not what a programmer did)
    """One sentence about an item that could not be put right."""


@dataclass
class Host:
    """`root` is / except in tests."""

    root: Path = Path("/")
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "PATH": PROGRAMS,
            "LC_ALL": "C.UTF-8",
            "HOME": "/root",
            "DEBIAN_FRONTEND": "noninteractive",
            # Ubuntu's needrestart would ask which services to restart.
            "NEEDRESTART_SUSPEND": "1",
        }
    )

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str:
        """Empty when it is not there."""
        try:
            return self.at(path).read_text(errors="replace")
        except OSError:
            return ""

    @property
    def container(self) -> bool:
        """systemd writes it for whatever it boots in."""
        return self.at("/run/systemd/container").exists()

    @property
    def release(self) -> str:
        pairs = dict(line.split("=", 1) for line in self.text("/etc/os-release").splitlines() if "=" in line)
        return "-".join(pairs.get(name, "").strip('"') for name in ("ID", "VERSION_ID"))

    @property
    def raises_limits(self) -> bool:
        status = self.text("/proc/self/status").splitlines()
        effective = next((line.split()[1] for line in status if line.startswith("CapEff:")), "0")
        return bool(int(effective, 16) & CAP_SYS_RESOURCE)

    def run(self, argv: Sequence[str], *, stdin: str = "", seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Never raises for what the program says; `ask` and `do` do."""
        try:
            return subprocess.run(
                list(argv),
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
                env=self.environment,
                cwd="/",
            )
        except FileNotFoundError:
            raise Trouble(f"{argv[0]} is not installed") from None
        except OSError as error:
            raise Trouble(f"{argv[0]} cannot be started: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise Trouble(f"`{' '.join(argv)}` did not end within {seconds:.0f} s") from None

    def ask(self, argv: Sequence[str]) -> str:
        """What the program prints."""
        return self.do(argv).stdout

    def do(self, argv: Sequence[str], *, stdin: str = "", seconds: float = 120) -> subprocess.CompletedProcess[str]:
        done = self.run(argv, stdin=stdin, seconds=seconds)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise Trouble(f"`{' '.join(argv)}` failed: {' '.join(said[-2:])[:400] or 'it said nothing'}")
        return done


def uid_of(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Trouble(f"there is no user {name}") from None


def gid_of(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Trouble(f"there is no group {name}") from None


def owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def write(path: Path, content: bytes, mode: int = 0o600, uid: int = -1, gid: int = -1) -> None:
    """A reader, and a machine that loses its power, see the old file or the new one.

    The temporary file has the suffix that every reader of a folder of parts (sudoers.d, logrotate.d) leaves out.
    """
    temporary = path.with_name(f".{path.name}.dpkg-new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if (uid, gid) != (-1, -1):
            os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
