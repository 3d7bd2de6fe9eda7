"""What a certificate says, and whether a pair may be served. openssl reads; standard library only."""

from __future__ import annotations

import re
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

DAY = 86400
BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\n?", re.DOTALL)


class UnfitError(Exception):
    """One sentence: what is wrong with a certificate."""


@dataclass(frozen=True)
class Certificate:
    """The first one of a chain: the server's own."""

    names: tuple[str, ...]
    issuer: str
    begins: float
    ends: float
    self_signed: bool

    @property
    def days_left(self) -> int:
        """Whole days; negative when it has ended."""
        return int((self.ends - time.time()) // DAY)

    @property
    def not_after(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.ends))


@dataclass(frozen=True)
class Pair:
    """A chain and its key, as text."""

    chain: str
    key: str


def split(text: str) -> Pair:
    """Out of one text, so that a pair can be written at once."""
    certificates = [found.group(0) for found in BLOCK.finditer(text) if found.group(1) == "CERTIFICATE"]
    keys = [found.group(0) for found in BLOCK.finditer(text) if found.group(1).endswith("PRIVATE KEY")]
    if not certificates or len(keys) != 1:
        raise UnfitError(f"{len(certificates)} certificates and {len(keys)} keys were found instead of a pair")
    return Pair("".join(map(_line, certificates)), _line(keys[0]))


def read(chain: str) -> Certificate:
    words = ("-noout", "-subject", "-issuer", "-dates", "-nameopt", "RFC2253", "-ext", "subjectAltName")
    said = openssl("x509", *words, text=chain, failing="the certificate cannot be read")
    fields = dict(re.findall(r"^(subject|issuer|notBefore|notAfter)=\s*(.*)$", said, re.MULTILINE))
    return Certificate(
        names=tuple(re.findall(r"DNS:([^,\s]+)", said)),
        issuer=fields["issuer"],
        begins=ssl.cert_time_to_seconds(fields["notBefore"]),
        ends=ssl.cert_time_to_seconds(fields["notAfter"]),
        self_signed=fields["subject"] == fields["issuer"],
    )


def check(pair: Pair, names: Sequence[str], *, chained: bool) -> None:
    """Whether clients could talk to a server that has this pair. `chained`: intermediates have to be with it."""
    certificate = read(pair.chain)
    missing = sorted(set(names) - set(certificate.names))
    if missing:
        raise UnfitError(f"it is not for {', '.join(missing)}")
    if certificate.ends <= time.time():
        raise UnfitError(f"it has ended, on {certificate.not_after}")
    if _public(pair.chain) != openssl("pkey", "-pubout", text=pair.key, failing="the key cannot be read"):
        raise UnfitError("the key belongs to another certificate")
    _check_chain([found.group(0) for found in BLOCK.finditer(pair.chain)], chained)


def _public(chain: str) -> str:
    return openssl("x509", "-noout", "-pubkey", text=chain, failing="the certificate cannot be read")


def _check_chain(links: Sequence[str], chained: bool) -> None:
    """Each one has signed the one before it; nobody here has to know the root."""
    if chained and len(links) < 2:
        raise UnfitError("the chain lacks the certificate of its issuer")
    for below, above in pairwise(links):
        with tempfile.TemporaryDirectory() as folder:
            trusted = Path(folder) / "above.pem"
            trusted.write_text(above)
            words = ("-partial_chain", "-no_check_time", "-trusted", str(trusted))
            openssl("verify", *words, text=below, failing="the chain is broken: one does not sign the next")


def openssl(*command: str, text: str, failing: str) -> str:
    done = subprocess.run(["openssl", *command], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnfitError(failing)
    return done.stdout


def _line(block: str) -> str:
    return block if block.endswith("\n") else f"{block}\n"
