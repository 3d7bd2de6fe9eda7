"""A stack's server over SSH, as the stack file says: the pinned host key, the named key or the agent, no questions."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from components.host.config import HostSettings
from components.settings import StackSettings
from ops import hostkey
from ops.errors import OperatorError
from ops.session import open_session
from ops.stackcheck import check_file
from ops.target import Target

CONNECT_SECONDS = 10
AGENT = "SSH_AUTH_SOCK"
# What `ssh` itself ends with, when no command was run.
NO_CONNECTION = 255


@dataclass(frozen=True)
class Trouble:
    """Why there is no connection: which kind of trouble, and one sentence with what to do."""

    kind: str
    text: str


class NoConnectionError(OperatorError):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


@dataclass(frozen=True)
class Server:
    settings: HostSettings

    @property
    def place(self) -> str:
        ssh = self.settings.ssh
        return f"{ssh.user}@{self.settings.address}:{ssh.port}"

    def ssh(self, command: str) -> list[str]:
        ssh = self.settings.ssh
        kind = ssh.host_key.split()[0]
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_SECONDS),
            "HostKeyAlgorithms": {"ssh-rsa": "rsa-sha2-512,rsa-sha2-256"}.get(kind, kind),
            "GlobalKnownHostsFile": "none",
            "KnownHostsCommand": f"/bin/echo %H {ssh.host_key}",
            "LogLevel": "ERROR",
            "ServerAliveInterval": "15",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": "none",
        }
        if ssh.private_key_path:
            options |= {"IdentityFile": f'"{ssh.private_key_path}"', "IdentitiesOnly": "yes"}
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", *given, "-p", str(ssh.port), f"{ssh.user}@{self.settings.address}", command]

    def run(self, command: str, stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """One round trip. Its exit code is the caller's to judge; no connection is a NoConnectionError."""
        self._refuse_without_key()
        try:
            done = subprocess.run(
                self.ssh(command), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
            )
        except FileNotFoundError:
            raise OperatorError("The program ssh is missing here: install openssh-client.") from None
        except subprocess.TimeoutExpired:
            raise NoConnectionError(
                Trouble("unreachable", f"{self.place} did not answer within {timeout:.0f} s: is the server overloaded?")
            ) from None
        if done.returncode == NO_CONNECTION:
            raise NoConnectionError(self.explain(done.stderr))
        return done

    def stream(self, command: str) -> int:
        """What it prints goes on as it comes. The end of its standard input is the end of whoever reads."""
        self._refuse_without_key()
        try:
            with subprocess.Popen(self.ssh(command), stdin=subprocess.PIPE) as process:
                return process.wait()
        except FileNotFoundError:
            raise OperatorError("The program ssh is missing here: install openssh-client.") from None

    def _refuse_without_key(self) -> None:
        path = self.settings.ssh.private_key_path
        if path and not Path(path).is_file():
            raise NoConnectionError(
                Trouble("key", f"There is no file {path}: host.ssh.private_key_path must name your private key.")
            )
        if not path and AGENT not in os.environ:
            raise NoConnectionError(
                Trouble(
                    "key",
                    "There is no SSH agent here (SSH_AUTH_SOCK), and host.ssh.private_key_path names no key: run "
                    "`eval $(ssh-agent) && ssh-add`, or name the key's file.",
                )
            )

    def explain(self, said: str) -> Trouble:
        """ssh's own words, and what follows from them."""
        for words, kind, text in _CAUSES:
            if any(each.lower() in said.lower() for each in words):
                return Trouble(kind, text.format(place=self.place, host=self.settings.address, **self._details(kind)))
        last = said.strip().splitlines()[-1:] or ["it said nothing"]
        return Trouble("unreachable", f"{self.place} cannot be reached by SSH: {last[0]}.")

    def _details(self, kind: str) -> dict[str, str]:
        """A second look at the key that the server shows; only for the sentence about it."""
        ssh = self.settings.ssh
        details = {
            "port": str(ssh.port),
            "user": ssh.user,
            "file": str(ssh.private_key_path),
            "refused": (
                f"does not accept the key in {ssh.private_key_path}"
                if ssh.private_key_path
                else "accepts no key of the SSH agent"
            ),
            "pinned": hostkey.fingerprint(ssh.host_key),
            "shown": "another one",
        }
        if kind == "host key":
            try:
                details["shown"] = hostkey.fingerprint(hostkey.scan(self.settings.address, ssh.port))
            except OperatorError:
                details["shown"] = "none of that kind"
        return details


_CAUSES = (
    (
        ("Could not resolve", "Name or service not known"),
        "unreachable",
        "The name {host} does not resolve: compare host.address with the provider's console.",
    ),
    (
        ("Connection refused",),
        "unreachable",
        "{host} is up but nothing answers on port {port}: compare host.ssh.port, and see whether sshd runs there "
        "(the provider's console gets in without it).",
    ),
    (
        ("timed out", "No route to host", "Network is unreachable", "Host is down"),
        "unreachable",
        "{host} does not answer on port {port}: is the server up, and does its firewall or yours let SSH through?",
    ),
    (
        ("Host key verification failed", "IDENTIFICATION HAS CHANGED", "no matching host key type"),
        "host key",
        "{host} shows the host key {shown}, but {pinned} is pinned: if the server was reinstalled, compare with its "
        "console and write the new key to host.ssh.host_key; if not, somebody is between you and it.",
    ),
    (
        ("bad permissions", "invalid format", "error in libcrypto"),
        "key",
        "{file} cannot be used: host.ssh.private_key_path must name your private key, readable by you alone "
        "(chmod 600), without a passphrase or with ssh-add done.",
    ),
    (
        ("Permission denied", "Too many authentication failures"),
        "key",
        "{place} {refused}: is host.ssh.user right, and the right key loaded (ssh-add) or named in "
        "host.ssh.private_key_path? The provider's console can add yours to ~{user}/.ssh/authorized_keys.",
    ),
    (
        ("kex_exchange_identification", "Connection closed by", "Connection reset", "Exceeded MaxStartups"),
        "refused",
        "{host} closes the connection before the login: too many at once, or your address is banned "
        "(`fail2ban-client unban` on its console).",
    ),
)


def settings_of(target: Target) -> StackSettings:
    """The stack's settings, or a rehearsal's. What is wrong elsewhere, such as a secret, is no matter here."""
    path = target.stack_file()
    if target.rehearsal:
        session = open_session(target)
        path = session.folder / path.name
        # The key of its machine is with an agent of its own.
        os.environ.update({name: session.environment[name] for name in (AGENT,) if name in session.environment})
    report = check_file(path, rehearsal=target.rehearsal is not None)
    about_host = [each for each in report.mistakes if each.path[:1] == ("host",)]
    if report.settings is None or about_host:
        count = len(about_host or report.mistakes)
        mistakes = "a mistake" if count == 1 else f"{count} mistakes"
        where = "about the server" if about_host else "in it"
        raise OperatorError(f"{path.name} has {mistakes} {where}: `./infra check {path}` names each.")
    return report.settings
