"""pulumi-command's remote half: commands and copies that reach the rehearsal's machine, and no other server."""

import contextlib
import json
import secrets
import stat
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from rehearsal.offline.plugins.command import Capture, Local, stoppable
from rehearsal.offline.plugins.kept import Actor, Subject
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import ASSETS, SIGNATURE, Found, Secret, Values, is_unknown, plain

_CONNECTION: Values = {"user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}
_SECRET = ("password", "privateKey", "privateKeyPassword")
_NO_ENVIRONMENT = (
    "Unable to set '{}'. This only works if your SSH server is configured to accept\n\tthese variables via AcceptEnv."
    " Alternatively, if a Bash-like shell runs the command on the remote host, you could\n\tprefix the command itself"
    " with the variables in the form 'VAR=value command'"
)


def _with_defaults(connection: Any) -> Any:
    if isinstance(connection, Secret):
        return Secret(_with_defaults(connection.value))
    if connection is None or is_unknown(connection):
        return connection
    proxy = {"proxy": _with_defaults(connection["proxy"])} if "proxy" in connection else {}
    hidden = {key: Secret(plain(connection[key])) for key in _SECRET if key in connection}
    return {**_CONNECTION, **connection, **proxy, **hidden}


@contextlib.contextmanager
def _connected(subject: Subject, connection: Values) -> Iterator[Any]:
    """Open a connection to the rehearsal's machine."""
    for hop in filter(None, (connection.get("proxy"), connection)):
        subject.session.admit_host(hop["host"])
    from rehearsal.offline.plugins import ssh  # noqa: PLC0415 - a preview pays nothing for paramiko

    transport = ssh.dial(connection, subject.session.environment, subject.note)
    with contextlib.closing(transport), stoppable(transport.close):
        yield transport


def _run(subject: Subject, text: str, inputs: Values, previous: Values) -> Values:
    """Run one command to its end; a failure carries all that it wrote."""
    from rehearsal.offline.plugins import ssh  # noqa: PLC0415

    capture = Capture.of(subject, inputs)
    with _connected(subject, inputs["connection"]) as transport:
        channel = transport.open_session()
        for name, value in _variables(subject, transport, inputs, previous).items():
            channel.set_environment_variable(name, value)
        streams = (channel.makefile("rb"), channel.makefile_stderr("rb"))
        readers = [threading.Thread(target=capture.read, args=(s, i)) for i, s in enumerate(streams)]
        channel.exec_command(text)
        for reader in readers:
            reader.start()
        with contextlib.suppress(OSError):  # a command need not read its input
            channel.sendall(capture.stdin)
            channel.shutdown_write()
        for reader in readers:
            reader.join()
        failure = ssh.outcome(channel)
    if failure:
        raise Refusal(f"{failure}: running {json.dumps(text, ensure_ascii=False)}:\n{capture.all()}")
    return {"stdout": capture.text(0), "stderr": capture.text(1)}


def _variables(subject: Subject, transport: Any, inputs: Values, previous: Values) -> dict[str, str]:
    """Give what the server takes: a variable of the program that it refuses is an error, ours is a warning."""
    from rehearsal.offline.plugins import ssh  # noqa: PLC0415

    wanted: dict[str, str] = inputs.get("environment") or {}
    for name in wanted:
        if not ssh.takes_variable(transport, name):
            subject.note(_NO_ENVIRONMENT.format(name), "error")
            raise Refusal(f'could not set environment variable "{name}": ssh: setenv failed')
    extra: dict[str, str] = {}
    if inputs.get("addPreviousOutputInEnv", True):
        extra = {f"PULUMI_COMMAND_{key.upper()}": previous[key] for key in ("stdout", "stderr") if previous.get(key)}
    refused = [name for name in extra if not ssh.takes_variable(transport, name)]
    for name in refused:
        subject.note(_NO_ENVIRONMENT.format(name), "warning")
    return {**wanted, **{name: value for name, value in extra.items() if name not in refused}}


class Remote(Local):
    """command.remote.Command."""

    def checked(self, inputs: Values) -> Values:
        return {**inputs, "connection": _with_defaults(inputs["connection"])}

    def act(self, subject: Subject, text: str, inputs: Values, previous: Values) -> Values:
        """Run it, or answer as a command that writes nothing where the rehearsal has no machine."""
        if not subject.session.acts():
            return {"stdout": "", "stderr": ""}
        return _run(subject, text, inputs, previous)


class Copy(Actor):
    """command.remote.CopyToRemote."""

    def mistakes(self, inputs: Values) -> list[str]:
        source = plain(inputs.get("source"))
        if isinstance(source, dict) and not {"path", "text"} & source.keys():
            whole = source.get(SIGNATURE) == ASSETS[1]
            return [f"{'archive must be a path to a file or directory' if whole else _ASSET}"]
        return []

    def checked(self, inputs: Values) -> Values:
        return {**inputs, "connection": _with_defaults(inputs["connection"])}

    def preview(self, subject: Subject, inputs: Values) -> Values:
        return inputs

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        self._send(subject, plain(inputs))
        return secrets.token_hex(4), inputs

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        """Copy again only for another content or another place."""
        before, after = plain(old), plain(inputs)
        if not preview and any(before.get(key) != after[key] for key in ("source", "remotePath")):
            self._send(subject, after)
        return inputs

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        """Give the state back: the real plugin has no read either."""
        return state, inputs

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        """The real plugin leaves the copy where it is."""

    def _send(self, subject: Subject, given: Values) -> None:
        if not subject.session.acts():
            return
        with _connected(subject, given["connection"]) as transport, transport.open_sftp_client() as sftp:
            source, target = given["source"], given["remotePath"]
            if "text" in source:
                _send_text(sftp, source["text"], target)
            else:
                _send_path(sftp, subject.session.folder, source["path"], target)


_ASSET = "asset must be a path-based file asset or a text asset"


def _send_text(sftp: Any, text: str, target: str) -> None:
    if _kind(sftp, target) == "folder":
        raise Refusal(f"remote path {target} is a directory; when using a text asset, remotePath must be a file path")
    _make_folders(sftp, PurePosixPath(target).parent, f"parent directories for {target}")
    _write(sftp, text.encode(), target)


def _send_path(sftp: Any, folder: str, given: str, target: str) -> None:
    """Copy as the official plugin does: a folder's name with a slash at its end means what is in it."""
    source, kind = Path(folder, given), _kind(sftp, target)
    if not source.exists():
        raise Refusal(f"open {given}: no such file or directory")
    if source.is_dir():
        if not kind:
            _make_folders(sftp, PurePosixPath(target), f"remote directory {target}")
        _send_folder(sftp, source, target if given.endswith("/") else f"{PurePosixPath(target, source.name)}")
        return
    if kind == "folder":
        target = str(PurePosixPath(target, source.name))
    elif not kind:
        _make_folders(sftp, PurePosixPath(target).parent, f"parent directories for {target}")
    _write(sftp, source.read_bytes(), target)


def _send_folder(sftp: Any, source: Path, target: str) -> None:
    kind = _kind(sftp, target)
    if kind == "file":
        raise Refusal(f"remote path {target} exists but is not a directory")
    if not kind:
        with _refused(f"failed to create remote directory {target}"):
            sftp.mkdir(target)
    for path in sorted(source.iterdir()):
        inner = str(PurePosixPath(target, path.name))
        if path.is_dir() and not path.is_symlink():
            _send_folder(sftp, path, inner)
        else:
            _write(sftp, path.read_bytes(), inner)


def _kind(sftp: Any, path: str) -> str:
    """Say what is there: nothing (empty), a folder or a file."""
    try:
        mode = sftp.stat(path).st_mode
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Refusal(f"failed to stat remote path {path}: {_reason(error)}") from error
    return "folder" if stat.S_ISDIR(mode) else "file"


def _make_folders(sftp: Any, path: PurePosixPath, what: str) -> None:
    for folder in reversed([path, *path.parents]):
        if not _kind(sftp, str(folder)):
            with _refused(f"failed to create {what}"):
                sftp.mkdir(str(folder))


def _write(sftp: Any, content: bytes, target: str) -> None:
    with _refused(f"failed to create remote file {target}"), sftp.open(target, "wb") as file:
        file.set_pipelined(True)
        file.write(content)


@contextlib.contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(f"{what}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    known = {FileNotFoundError: "file does not exist", PermissionError: "permission denied"}
    return known.get(type(error), f'sftp: "{error}" (SSH_FX_FAILURE)')


class CopyFile(Copy):
    """command.remote.CopyFile, the older form of CopyToRemote: one file, every change replaces it."""

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        return inputs  # never asked: there is no change without a replacement

    def mistakes(self, inputs: Values) -> list[str]:
        return []

    def _send(self, subject: Subject, given: Values) -> None:
        source = Path(subject.session.folder, given["localPath"])
        if not source.is_file():
            raise Refusal(f"open {given['localPath']}: no such file or directory")
        if not subject.session.acts():
            return
        with _connected(subject, given["connection"]) as transport, transport.open_sftp_client() as sftp:
            try:
                with sftp.open(given["remotePath"], "wb") as file:
                    file.write(source.read_bytes())
            except OSError as error:
                raise Refusal(_reason(error)) from error


ACTORS = {
    "command:remote:Command": Remote(),
    "command:remote:CopyToRemote": Copy(),
    "command:remote:CopyFile": CopyFile(),
}
