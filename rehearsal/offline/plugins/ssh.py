"""SSH as the official command plugin speaks it: what it tries, in which order, and in which words it fails.

Two things that paramiko hides are needed here and taken from its channel requests: the signal that ended a command, and
whether the server took an environment variable.
"""

import io
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, TypeVar

import paramiko
from paramiko import common
from paramiko.agent import AgentSSH
from paramiko.ssh_exception import IncompatiblePeer

from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import Values

_Made = TypeVar("_Made")
_DELAY, _LONGEST_DELAY, _FACTOR = 0.1, 5.0, 1.5


class DialError(Exception):
    """One attempt failed; the next one may not."""


class _Agent(AgentSSH):
    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError as error:
            raise Refusal(f"dial unix {path}: connect: {_words(error)}") from error
        self._connect(connection)  # type: ignore[attr-defined]


def _note_signal(channel: Any, message: Any) -> None:
    if message.get_text() == "exit-signal":
        message.get_boolean()
        channel.ended_by = message.get_text()
        channel.status_event.set()
        return
    message.rewind()
    message.get_int()  # the channel's number, which the transport has read
    paramiko.Channel._handle_request(channel, message)  # type: ignore[attr-defined]


class _Transport(paramiko.Transport):
    _channel_handler_table = {  # noqa: RUF012 - as paramiko has it
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        common.MSG_CHANNEL_REQUEST: _note_signal,
    }


def dial(connection: Values, environment: dict[str, str], log: Callable[[str], None]) -> paramiko.Transport:
    """Connect and log in, by way of the proxy if there is one, as often as `dialErrorLimit` allows."""
    limit, proxy = _limit(connection), connection.get("proxy")
    credentials = _credentials(connection, environment)
    if not proxy:
        return _retry("Dial", limit, log, lambda: _log_in(_tcp(connection), connection, credentials))
    try:
        bastion = _credentials(proxy, environment)
        first = _retry("Dial proxy", _limit(proxy), log, lambda: _log_in(_tcp(proxy), proxy, bastion))
        through = _retry("Dial from proxy", limit, log, lambda: _forward(first, connection))
        return _retry("Dial", limit, log, lambda: _log_in(through, connection, credentials))
    except Refusal as refusal:
        raise Refusal(f"proxy: {refusal}") from refusal


def _limit(connection: Values) -> int:
    return int(connection.get("dialErrorLimit", 10))


def _retry(what: str, limit: int, log: Callable[[str], None], attempt: Callable[[], _Made]) -> _Made:
    delay, failed = _DELAY, 0
    while True:
        try:
            return attempt()
        except DialError as error:
            if -1 < limit <= failed:
                raise Refusal(f"after {failed} failed attempts: {error}") from error
        failed += 1
        log(f"{what} {failed}/{'inf' if limit == -1 else limit} failed: retrying")
        time.sleep(min(delay, _LONGEST_DELAY))
        delay *= _FACTOR


def _tcp(connection: Values) -> Any:
    host, port = connection["host"], int(connection.get("port", 22))
    seconds = connection.get("perDialTimeout", 15) or None
    try:
        return socket.create_connection((host, port), seconds)
    except TimeoutError as error:
        raise DialError(f"dial tcp {host}:{port}: i/o timeout") from error
    except OSError as error:
        raise DialError(f"dial tcp {host}:{port}: connect: {_words(error)}") from error


def _forward(bastion: paramiko.Transport, connection: Values) -> Any:
    target = (connection["host"], int(connection.get("port", 22)))
    try:
        return bastion.open_channel("direct-tcpip", target, ("0.0.0.0", 0))  # noqa: S104 - as the real plugin says
    except paramiko.SSHException as error:
        raise DialError(f"ssh: rejected: connect failed ({error})") from error


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _log_in(stream: Any, connection: Values, credentials: list[tuple[str, Any]]) -> paramiko.Transport:
    transport = _Transport(stream)
    try:
        _shake_hands(transport, connection)
        _authenticate(transport, connection.get("user", "root"), credentials)
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise DialError(f"ssh: handshake failed: {error or 'EOF'}") from error
    return transport


def _shake_hands(transport: paramiko.Transport, connection: Values) -> None:
    pinned = _pinned(connection)
    kind = pinned[0] if pinned else ""
    try:
        if kind:  # ssh-rsa, which stands for SHA-1, is refused here by paramiko and there by any server of this decade
            transport.get_security_options().key_types = (kind,)
        transport.start_client(timeout=connection.get("perDialTimeout", 15) or None)
    except (IncompatiblePeer, ValueError) as error:
        raise paramiko.SSHException(f"ssh: no common algorithm for host key; we offered: [{kind}]") from error
    key = transport.get_remote_server_key()
    if pinned and (key.get_name(), key.get_base64()) != pinned:
        raise paramiko.SSHException("ssh: host key mismatch")


def _pinned(connection: Values) -> tuple[str, str] | None:
    if connection.get("hostKey") is None:
        return None
    words = connection["hostKey"].split()
    if len(words) < 2 or not words[1].startswith("AAAA"):
        raise Refusal("failed to parse host key: ssh: no key found")
    return words[0], words[1]


def _credentials(connection: Values, environment: dict[str, str]) -> list[tuple[str, Any]]:
    """List what can be tried: a private key keeps the agent's keys from being asked, as in the real plugin."""
    _pinned(connection)
    found: list[tuple[str, Any]] = []
    if text := connection.get("privateKey"):
        found.append(("publickey", [_private_key(text, connection.get("privateKeyPassword"))]))
    if connection.get("password") is not None:
        found += [("password", connection["password"]), ("keyboard-interactive", connection["password"])]
    path = connection.get("agentSocketPath") or environment.get("SSH_AUTH_SOCK")
    if path:
        agent = _Agent(path).get_keys()
        found += [("publickey", list(agent))] if "publickey" not in dict(found) else []
    return found


def _private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except paramiko.PasswordRequiredException as error:
            raise Refusal("ssh: this private key is passphrase protected") from error
        except (paramiko.SSHException, ValueError) as error:
            if passphrase and "PRIVATE KEY" in text and kind is paramiko.RSAKey:
                raise Refusal("x509: decryption password incorrect") from error
    raise Refusal("ssh: no key found")


def _authenticate(transport: paramiko.Transport, user: str, credentials: list[tuple[str, Any]]) -> None:
    """Try what the server asks for, each way once."""
    tried = ["none"]
    try:
        transport.auth_none(user)
        return
    except paramiko.BadAuthenticationType as refusal:
        offered = list(refusal.allowed_types)
    for method, secret in credentials:
        if method in offered and method not in tried:
            tried.append(method)
            if _try(transport, user, method, secret):
                return
    raise paramiko.SSHException(
        f"ssh: unable to authenticate, attempted methods [{' '.join(tried)}], no supported methods remain"
    )


def _try(transport: paramiko.Transport, user: str, method: str, secret: Any) -> bool:
    with suppress(paramiko.AuthenticationException):
        if method == "password":
            transport.auth_password(user, secret, fallback=False)
        elif method == "keyboard-interactive":
            transport.auth_interactive(user, lambda _title, _text, questions: [secret] * len(questions))
    if method == "publickey":
        for key in secret:
            with suppress(paramiko.AuthenticationException):
                transport.auth_publickey(user, key)
                break
    return transport.is_authenticated()


def takes_variable(transport: paramiko.Transport, name: str) -> bool:
    """Ask the server whether it takes a variable of this name, on a channel that its refusal may close."""
    session: Any = transport.open_session()
    with closing(session) as probe:
        message = paramiko.Message()
        message.add_byte(common.cMSG_CHANNEL_REQUEST)
        message.add_int(probe.remote_chanid)
        message.add_string("env")
        message.add_boolean(True)
        message.add_string(name)
        message.add_string("")
        probe._event_pending()
        probe.transport._send_user_message(message)
        try:
            probe._wait_for_event()
        except (paramiko.SSHException, EOFError):
            return False
    return True


def outcome(channel: paramiko.Channel) -> str:
    """Wait for a command's end; empty when it went well."""
    status = channel.recv_exit_status()
    if name := getattr(channel, "ended_by", ""):
        number = getattr(signal, f"SIG{name}", 0)
        return f"Process exited with status {128 + number} from signal {name}"
    if status == -1:
        return "wait: remote command exited without exit status or exit signal"
    return f"Process exited with status {status}" if status else ""
