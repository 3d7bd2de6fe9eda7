"""The public key that backups are sealed to, as far as it can be judged without gpg: whose it is, and how strong.

Whether it has expired or was revoked only its signatures say: gpg reads those on the server, before each backup.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

ARMOR = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[A-Za-z]+: .*\n)*\n"
    r"(?P<body>[A-Za-z0-9+/=\n]+?)\n(?:=[A-Za-z0-9+/]{4}\n)?-----END PGP PUBLIC KEY BLOCK-----"
)
PUBLIC_KEY, VERSION = 6, 4
RSA, BY_CURVE = (1, 2, 3), (18, 19, 22, 25, 26, 27, 28)
BITS = 4096
# Curves of 256 bits that gpg offers beside 25519: NIST P-256, brainpoolP256r1, secp256k1.
SHORT_CURVES = tuple(bytes.fromhex(each) for each in ("2a8648ce3d030107", "2b2403030208010107", "2b8104000a"))


class KeyFileError(ValueError):
    """Why it is no key to seal backups to."""


@dataclass(frozen=True)
class PublicKey:
    fingerprint: str
    kind: str
    strong: bool


def read(text: str) -> PublicKey:
    """Of the key itself; the parts that it has signed are behind it."""
    found = ARMOR.search(text.replace("\r\n", "\n"))
    if found is None:
        raise KeyFileError("it is no public key in ASCII armor (`gpg --armor --export FINGERPRINT`)")
    try:
        body = first_packet(base64.b64decode(found["body"]))
        if body[0] != VERSION:
            raise KeyFileError(f"it is a key of version {body[0]}, and gpg of the servers reads version {VERSION}")
        kind, strong = _strength(body)
    except (binascii.Error, IndexError):
        raise KeyFileError("it is cut off or damaged") from None
    # RFC 4880, 12.2: what is hashed is the packet as an old one, with a length of two octets.
    digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
    return PublicKey(digest.hexdigest().upper(), kind, strong)


def first_packet(data: bytes) -> bytes:
    tag = data[0]
    new = bool(tag & 0x40)
    if (tag & 0x3F if new else (tag >> 2) & 0xF) != PUBLIC_KEY:
        raise KeyFileError("it does not begin with a public key")
    if new:
        wide = data[1] >= 192
        length, start = ((data[1] - 192 << 8) + data[2] + 192, 3) if wide else (data[1], 2)
    else:
        octets = 1 << (tag & 3)
        length, start = int.from_bytes(data[1 : 1 + octets], "big"), 1 + octets
    body = data[start : start + length]
    if len(body) != length or length < 8:
        raise IndexError
    return body


def _strength(body: bytes) -> tuple[str, bool]:
    algorithm = body[5]
    if algorithm in RSA:
        bits = int.from_bytes(body[6:8], "big")
        return f"RSA {bits}", bits >= BITS
    if algorithm in BY_CURVE:
        return "elliptic curve", body[7 : 7 + body[6]] not in SHORT_CURVES
    return f"algorithm {algorithm}", False
