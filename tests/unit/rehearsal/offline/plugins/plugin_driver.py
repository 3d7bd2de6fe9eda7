"""Plays a case against a resource plugin over gRPC: a stand-in in this process, or a real plugin's executable."""

import contextlib
import datetime
import functools
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import local_sshd
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf import struct_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from rehearsal.offline.install import _installed_version, _site, install
from rehearsal.offline.plugins import wire
from rehearsal.offline.plugins.provider import open_plugin

_SCHEMAS = Path(__file__).resolve().parents[5] / ".toolchain" / "schemas"  # read once, not per test
BACKEND = "file:///nowhere"
ZONE = "0" * 32
VARIABLE = "<varies>"


def to_json(value: Any) -> Any:
    """Write a value so that a case file can hold it: unknowns and secrets are visible."""
    if value is wire.UNKNOWN:
        return {"$": "unknown"}
    if isinstance(value, wire.Secret):
        return {"$": "secret", "value": to_json(value.value)}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, list) else value


def from_json(value: Any) -> Any:
    """Read a value of a case file."""
    if isinstance(value, dict) and value.get("$") == "unknown":
        return wire.UNKNOWN
    if isinstance(value, dict) and value.get("$") == "secret":
        return wire.Secret(from_json(value["value"]))
    if isinstance(value, dict) and value.get("$") == "made":
        return _made(value["name"])
    if isinstance(value, str) and "@ssh." in value:
        return _NAMED.sub(lambda match: str(_made(match[1])), value)
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return [from_json(item) for item in value] if isinstance(value, list) else value


_NAMED = re.compile(r"@(ssh\.\w+)@")


def _made(name: str) -> Any:
    return local_sshd.made()[name] if name.startswith("ssh.") else authority()[name]


def hide_made(value: Any) -> Any:
    """Put the names back where an answer repeats what was made for this run."""
    if isinstance(value, dict):
        hidden = {key: hide_made(item) for key, item in value.items()}
        ours = "privateKey" in value and value.get("user") == _made("ssh.user")
        return {**hidden, "user": "@ssh.user@"} if ours else hidden
    if isinstance(value, list):
        return [hide_made(item) for item in value]
    for name, made in local_sshd.made().items():
        if value == made and isinstance(made, int):
            return {"$": "made", "name": name}
        if isinstance(value, str) and isinstance(made, str) and name != "ssh.user":
            value = value.replace(made, f"@{name}@")
    return value


@functools.cache
def authority() -> dict[str, str]:
    """Make a key, its self-signed certificate and a request: no key belongs into a case file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a case")])
    start, end = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
    certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = serialization.Encoding.PEM
    form, none = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    return {
        "key": key.private_bytes(pem, form, none).decode(),
        "certificate": certificate.sign(key, hashes.SHA256()).public_bytes(pem).decode(),
        "request": request.public_bytes(pem).decode(),
    }


@dataclass
class Driver:
    """One plugin and the resource that a case is about."""

    stub: Any
    accepts_secrets: bool = False
    token: str = ""
    name: str = "thing"
    seed: bytes = b"x" * 32
    identity: str = ""
    news: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def configure(self, settings: dict[str, Any]) -> None:
        """Say hello as the engine does."""
        with contextlib.suppress(grpc.RpcError):  # bridged plugins do not know it
            self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        answer = self.stub.Configure(
            provider_pb2.ConfigureRequest(args=wire.encode(settings), acceptSecrets=True, acceptResources=True)
        )
        self.accepts_secrets = answer.acceptSecrets

    @property
    def urn(self) -> str:
        """The resource's name as the engine gives it."""
        return f"urn:pulumi:dev::case::{self.token}::{self.name}"

    def _sent(self, values: dict[str, Any]) -> struct_pb2.Struct:
        return wire.encode(values if self.accepts_secrets else wire.plain(values))

    def play(self, step: dict[str, Any]) -> dict[str, Any]:
        """Make one step and give the answer in the form of a case file."""
        try:
            answer = dict(to_json(getattr(self, f"_{step['do']}")(step)))
        except grpc.RpcError as error:
            answer = {"error": error.details(), **self._made_all_the_same(error)}
        return dict(hide_made(answer)) if ":remote:" in self.token else answer

    def _made_all_the_same(self, error: Any) -> dict[str, Any]:
        """Take what a failed creation left behind for the state, as the engine does."""
        packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        detail = provider_pb2.ErrorResourceInitFailed()
        if packed is None or not status_pb2.Status.FromString(packed).details[0].Unpack(detail):
            return {}
        self.identity, self.state, self.inputs = detail.id, wire.decode(detail.properties), self.news
        return {"left": [self._shown(reason) for reason in detail.reasons]}

    def _shown(self, text: str) -> str:
        return text.replace(self.identity, "{id}") if self.identity else text

    def _engine(self, step: dict[str, Any]) -> dict[str, Any]:
        """Look at the Docker engine, or change something there, by hand."""
        words = ["docker", *(word.replace("{id}", self.identity) for word in step["args"])]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        quiet = step["args"][0] in ("create", "run", "rm", "kill", "tag", "rmi", "update") or "create" in step["args"]
        text = "" if quiet else self._shown(done.stdout.strip())
        return {"text": text} if done.returncode == 0 else {"failed": done.stderr.strip()}

    def _put(self, step: dict[str, Any]) -> dict[str, Any]:
        """Write a file where the local SSH server's user can read it."""
        path = Path(_made("ssh.files")) / step["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step["text"])
        return {}

    def _look(self, step: dict[str, Any]) -> dict[str, Any]:
        path = Path(_made("ssh.files")) / step["file"]
        return {"text": path.read_text() if path.is_file() else None}

    def _check(self, step: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            urn=self.urn, news=self._sent(from_json(step["with"])), olds=self._sent(self.inputs), randomSeed=self.seed
        )
        answer = self.stub.Check(request)
        if answer.failures:
            return {"failures": [failure.reason for failure in answer.failures]}
        self.news = wire.decode(answer.inputs)
        return {"inputs": self.news}

    def _diff(self, step: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.DiffRequest(
            id=self.identity,
            urn=self.urn,
            olds=self._sent(self.state),
            old_inputs=self._sent(self.inputs),
            news=self._sent(self.news),
            ignoreChanges=step.get("ignore", []),
        )
        answer = self.stub.Diff(request)
        kinds = provider_pb2.PropertyDiff.Kind
        told = {
            "changes": answer.changes == provider_pb2.DiffResponse.DIFF_SOME,
            "replaces": bool(answer.replaces),
            "deleteFirst": answer.deleteBeforeReplace,
        }
        if answer.hasDetailedDiff or answer.detailedDiff:
            told["paths"] = {path: kinds.Name(diff.kind) for path, diff in sorted(answer.detailedDiff.items())}
        return told

    def _change(self, step: dict[str, Any]) -> dict[str, Any]:
        """Check other inputs and say what the change would do; nothing is changed."""
        checked = self._check(step)
        return checked if "failures" in checked else {k: v for k, v in self._diff(step).items() if k != "paths"}

    def _assume(self, step: dict[str, Any]) -> dict[str, Any]:
        """Take the checked inputs as what exists: for types whose making needs more than the plugin."""
        planned = self._preview(step)["properties"]
        filled = {key: step["state"].get(key) if value is wire.UNKNOWN else value for key, value in planned.items()}
        self.identity, self.inputs = step["id"], self.news
        self.state = {key: value for key, value in filled.items() if value is not None}
        return {}

    def _preview(self, step: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.CreateRequest(urn=self.urn, properties=self._sent(self.news), preview=True)
        return {"properties": wire.decode(self.stub.Create(request).properties)}

    def _create(self, step: dict[str, Any]) -> dict[str, Any]:
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=self.urn, properties=self._sent(self.news)))
        self.identity, self.state, self.inputs = answer.id, wire.decode(answer.properties), self.news
        return {"id": answer.id, "properties": self.state}

    def _update(self, step: dict[str, Any]) -> dict[str, Any]:
        preview = bool(step.get("preview"))
        request = provider_pb2.UpdateRequest(
            id=self.identity,
            urn=self.urn,
            olds=self._sent(self.state),
            old_inputs=self._sent(self.inputs),
            news=self._sent(self.news),
            preview=preview,
        )
        state = wire.decode(self.stub.Update(request).properties)
        if not preview:
            self.state, self.inputs = state, self.news
        return {"properties": state}

    def _read(self, step: dict[str, Any]) -> dict[str, Any]:
        empty = "import" in step
        request = provider_pb2.ReadRequest(
            id=step.get("import", self.identity).replace("{id}", self.identity),
            urn=self.urn,
            properties=wire.encode({}) if empty else self._sent(self.state),
            inputs=wire.encode({}) if empty else self._sent(self.inputs),
        )
        answer = self.stub.Read(request)
        return {"id": answer.id, "inputs": wire.decode(answer.inputs), "properties": wire.decode(answer.properties)}

    def _refresh(self, step: dict[str, Any]) -> dict[str, Any]:
        """Read, and take what was found for the state, as the engine does."""
        found = self._read(step)
        self.inputs, self.state = found["inputs"], found["properties"]
        return found

    def _delete(self, step: dict[str, Any]) -> dict[str, Any]:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=self.identity, urn=self.urn, properties=self._sent(self.state), old_inputs=self._sent(self.inputs)
            )
        )
        return {}


# What a case may reach: nothing but an SSH server of its own, or the Docker engine of this machine.
SSH = ("127.0.0.1",)
ENGINE = ("unix:///var/run/docker.sock", "unix:///nowhere.sock", "127.0.0.1")


def stand_in(
    name: str,
    home: Path,
    environment: dict[str, str] | None = None,
    machine: tuple[str, ...] = (),
    clouds: Path | None = None,
) -> tuple[Driver, Any]:
    """Open a stand-in in this process; give it with its server, which the caller stops."""
    zones = {ZONE: {"name": "neurmatic.example", "plan": "pro", "account_id": "0" * 31 + "1"}}
    install(home, [BACKEND], zones=zones, machine=machine, clouds=clouds)
    request = {
        "name": name,
        "version": _installed_version(name),
        "engine": "",
        "folder": str(home),
        "environment": {**os.environ, "PULUMI_HOME": str(home), "PULUMI_BACKEND_URL": BACKEND, **(environment or {})},
    }
    server, port = open_plugin(request, _site(), _SCHEMAS, ThreadPoolExecutor(8))
    return Driver(provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))), server


def real(executable: Path, folder: Path) -> tuple[Driver, subprocess.Popen[str]]:
    """Start a real plugin; give it with its process, which the caller ends."""
    environment = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
    words = [str(executable), "127.0.0.1:1"]
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    port = int(process.stdout.readline())
    return Driver(provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))), process


def shape(answer: Any, variable: list[str], path: str = "") -> Any:
    """Replace what differs from run to run (keys, ids, times) by its kind."""
    if any(re.fullmatch(pattern, path) for pattern in variable):
        return _form(answer)
    if isinstance(answer, dict):
        return {key: shape(item, variable, f"{path}.{key}".lstrip(".")) for key, item in answer.items()}
    return [shape(item, variable, path) for item in answer] if isinstance(answer, list) else answer


def _form(value: Any) -> Any:
    if isinstance(value, dict) and value.get("$") == "secret":
        return {"$": "secret", "value": _form(value["value"])}
    if isinstance(value, dict):
        return value  # an unknown
    heading = value.splitlines()[0] if isinstance(value, str) and value.startswith("-----BEGIN") else ""
    return f"{VARIABLE} {heading or type(value).__name__}"
