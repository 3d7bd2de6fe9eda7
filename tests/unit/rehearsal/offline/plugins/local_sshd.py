"""An SSH server of this user's own on loopback, for cases that act: made once per test process."""

from __future__ import annotations

import atexit
import functools
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PASSPHRASE = "case"
CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv CASE_* PULUMI_COMMAND_STDOUT
Subsystem sftp internal-sftp
LogLevel ERROR
"""


def sshd() -> str | None:
    """The server's program; root may install it."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    found = shutil.which("sshd", path=places)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        words = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "--quiet", "--yes", "--no-install-recommends", "install"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "--quiet", "update"], env=quiet, capture_output=True, check=False)
        subprocess.run([*words, "openssh-server"], env=quiet, capture_output=True, check=False)
        found = shutil.which("sshd", path=places)
    return found


@functools.cache
def made() -> dict[str, str | int]:
    """Start the server and an agent; give what cases put in for the names that they use."""
    folder = Path(tempfile.mkdtemp(prefix="sshd-case-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, passphrase in (("host", ""), ("other", ""), ("user", ""), ("locked", PASSPHRASE)):
        make_key(folder / name, passphrase)
    make_key(folder / "rsa", kind="rsa")
    (folder / "user.pub").write_text((folder / "user.pub").read_text() + (folder / "locked.pub").read_text())
    port = _start(folder)
    (folder / "files").mkdir()
    return {
        "ssh.port": port,
        "ssh.user": getpass.getuser(),
        "ssh.host_key": public(folder / "host"),
        "ssh.other_host_key": public(folder / "other"),
        "ssh.rsa_host_key": public(folder / "rsa"),
        "ssh.key": (folder / "user").read_text(),
        "ssh.other_key": (folder / "other").read_text(),
        "ssh.locked_key": (folder / "locked").read_text(),
        "ssh.agent": _agent(folder),
        "ssh.files": str(folder / "files"),
    }


def make_key(path: Path, passphrase: str = "", kind: str = "ed25519") -> None:
    words = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "case", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def public(path: Path) -> str:
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def _start(folder: Path) -> int:
    program = sshd()
    assert program, "These cases need an SSH server: install openssh-server."
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it locks its unprivileged half in
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "sshd_config").write_text(CONFIGURATION.format(port=port, folder=folder))
    process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")])
    atexit.register(process.kill)
    _wait(socket.AF_INET, ("127.0.0.1", port), process)
    return port


def _wait(family: int, address: object, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(family) as probe:
            if probe.connect_ex(address) == 0:  # type: ignore[arg-type]
                return
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} did not start")


def _agent(folder: Path) -> str:
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    _wait(socket.AF_UNIX, str(path), process)
    environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
    subprocess.run(["ssh-add", "-q", str(folder / "user")], env=environment, check=True, stdin=subprocess.DEVNULL)
    return str(path)
