"""Certificates of a rehearsal are believed by those who trust its root, for the names on them and no others."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from rehearsal.sinks.tls import Authority, Pair


def shake_hands(server: Pair, folder: Path, root: bytes, name: str) -> None:
    """A real TLS handshake over a socket pair, as strict as Python's newest default."""
    (folder / "pair.pem").write_bytes(server.certificate + server.key)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "pair.pem")
    trusting = ssl.create_default_context(cadata=root.decode())
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            serving.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        trusting.wrap_socket(ours, server_hostname=name).close()
    finally:
        ours.close()
        thread.join(5)


@pytest.mark.parametrize("name", ["registry.rehearsal.test", "127.0.0.1"])
def test_names_and_addresses_on_it_are_believed(tmp_path: Path, name: str) -> None:
    authority = Authority()
    shake_hands(authority.issue(["registry.rehearsal.test", "127.0.0.1"]), tmp_path, authority.certificate, name)


def test_another_name_is_not(tmp_path: Path) -> None:
    authority = Authority()
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(authority.issue(["a.test"]), tmp_path, authority.certificate, "b.test")


def test_another_authority_of_the_same_name_is_not_believed(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(Authority().issue(["a.test"]), tmp_path, Authority().certificate, "a.test")
