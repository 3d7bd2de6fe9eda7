"""What is in the sealed copy, and how it is sealed. Pure: bytes in, bytes out.

An envelope is an age file (age-encryption.org/v1) around a gzipped tar of plain files, so that the two commands that
every distribution has open it without this program: `age -d -i KEYFILE ENVELOPE | tar -xz`.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyrage  # type: ignore[import-untyped]

from ops.errors import OperatorError

VERSION = 1
ABOUT, STATE, SECRETS, README = "about.json", "state.json", "secrets.json", "README.txt"

INSTRUCTIONS = """The state of {about.system}/{about.stack} as it was on {about.written}, after `{about.reason}`.

state.json    what `pulumi stack import` takes; its secrets are readable: this folder belongs on no disk for long
secrets.json  the secret settings of the stack, by their names
Pulumi*.yaml  the stack file and the project file of that day (commit {about.commit})

With a checkout of the repository, on any machine:
    ./infra escrow restore ENVELOPE --identity KEYFILE --stack {about.stack} --system {about.system}
docs/state.md says the same without ./infra.
"""


@dataclass(frozen=True)
class About:
    system: str
    stack: str
    written: str
    """When, in UTC."""
    reason: str
    """After which verb."""
    backend: str
    provider: str
    """What encrypted the secrets in the backend."""
    engine: str
    commit: str
    resources: int
    version: int = VERSION


@dataclass(frozen=True)
class Envelope:
    about: About
    state: Mapping[str, Any]
    """An export with its secrets readable."""
    secrets: Mapping[str, str]
    """The stack's secret settings, by their full names."""
    files: Mapping[str, str]
    """Stack file and project file, by name."""


def seal(envelope: Envelope, recipients: Sequence[str]) -> bytes:
    try:
        keys = [pyrage.x25519.Recipient.from_str(each) for each in recipients]
    except pyrage.RecipientError as error:
        raise OperatorError(f"escrow.recipients has one that is no age recipient: {error}.") from None
    return bytes(pyrage.encrypt(_packed(envelope), keys))


def unseal(sealed: bytes, identities: Iterable[Any]) -> Envelope:
    try:
        plain = pyrage.decrypt(sealed, list(identities))
    except pyrage.DecryptError as error:
        raise OperatorError(
            f"This key does not open the envelope, or the envelope is damaged ({error}). "
            "Try the other keys of escrow.recipients, or an earlier version of the object."
        ) from None
    return _unpacked(bytes(plain))


def new_identity() -> tuple[str, str]:
    """A private key and the recipient that belongs to it."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def identities_in(text: str) -> list[Any]:
    """The keys of an identity file as age-keygen writes it: one on a line, # begins a comment."""
    lines = [line.strip() for line in text.splitlines()]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise OperatorError("That is no age identity: the file should have a line that begins with AGE-SECRET-KEY-1.")
    return found


def _packed(envelope: Envelope) -> bytes:
    about = envelope.about
    members = {
        README: INSTRUCTIONS.format(about=about),
        ABOUT: _json(asdict(about)),
        STATE: _json(envelope.state),
        SECRETS: _json(envelope.secrets),
        **envelope.files,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in members.items():
            entry = tarfile.TarInfo(f"{about.system}-{about.stack}/{name}")
            content = text.encode()
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue())


def _unpacked(plain: bytes) -> Envelope:
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:gz") as archive:
            texts = {entry.name.rpartition("/")[2]: _text(archive, entry) for entry in archive if entry.isfile()}
        about = json.loads(texts[ABOUT])
        if about["version"] != VERSION:
            raise OperatorError(f"The envelope has format {about['version']}; this checkout reads {VERSION}.")
        files = {name: text for name, text in texts.items() if name.startswith("Pulumi")}
        return Envelope(About(**about), json.loads(texts[STATE]), json.loads(texts[SECRETS]), files)
    except (tarfile.TarError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise OperatorError(f"The envelope was opened, but what is inside is not whole: {error!r}.") from None


def _text(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    content = archive.extractfile(entry)
    return content.read().decode() if content is not None else ""


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True)
