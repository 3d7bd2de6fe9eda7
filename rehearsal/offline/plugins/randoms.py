"""pulumi-random: really random values."""

import base64
import ctypes
import functools
import secrets
import string
from typing import ClassVar

from rehearsal.offline.plugins.generated import Generated
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import UNKNOWN, Found, Values

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_MINIMUMS = ("minLower", "minUpper", "minNumeric", "minSpecial")
_CLASSES = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits}


class Password(Generated):
    """random.RandomPassword."""

    static: ClassVar[Values] = {
        **dict.fromkeys(("lower", "upper", "numeric", "number", "special"), True),
        **dict.fromkeys(_MINIMUMS, 0),
    }

    def make(self, inputs: Values) -> tuple[str, Values]:
        """Draw the required characters of each class and the rest from all of them, and shuffle."""
        sets = {name: chars for name, chars in _CLASSES.items() if inputs[name]}
        if inputs["special"]:
            sets["special"] = inputs.get("overrideSpecial") or _SPECIAL
        least = {name: inputs[f"min{name.title()}"] for name in (*_CLASSES, "special")}
        drawn = [secrets.choice(sets.get(name, "")) for name, count in least.items() for _ in range(count)]
        every = "".join(sets.values())
        drawn += [secrets.choice(every) for _ in range(inputs["length"] - len(drawn))]
        secrets.SystemRandom().shuffle(drawn)
        return "none", {"result": "".join(drawn), "bcryptHash": bcrypt("".join(drawn))}

    def mistakes(self, inputs: Values) -> list[str]:
        given = {**self.static, **inputs}
        sizes = [given["length"], *(given[name] for name in _MINIMUMS)]
        if UNKNOWN not in sizes and sizes[0] < max(1, sum(sizes[1:])):
            return [f"length must be at least {max(1, sum(sizes[1:]))} (1, and the sum of the minimums)."]
        if not any(given[name] for name in (*_CLASSES, "special")):
            return ["At least one of special, upper, lower and numeric must be true."]
        return []

    def defaults(self, inputs: Values) -> Values:
        """Let `number`, the old name of `numeric`, follow it."""
        numeric = inputs.get("numeric", inputs.get("number", True))
        return {**self.static, **inputs, "numeric": numeric, "number": numeric}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        """Import: the id is the password."""
        if state:
            return state, inputs
        given = {**self.static, "length": len(identity)}
        shown = {name: value for name, value in given.items() if value}  # the real plugin leaves the zeros out
        return {**given, "id": "none", "result": identity, "bcryptHash": bcrypt(identity)}, shown


class Id(Generated):
    """random.RandomId."""

    def make(self, inputs: Values) -> tuple[str, Values]:
        drawn, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", "")
        url = base64.urlsafe_b64encode(drawn).rstrip(b"=").decode()
        written = {
            "b64Url": url,
            "b64Std": base64.b64encode(drawn).decode(),
            "hex": drawn.hex(),
            "dec": str(int.from_bytes(drawn, "big")),
        }
        return url, {name: prefix + text for name, text in written.items()}


class Bytes(Generated):
    """random.RandomBytes."""

    def make(self, inputs: Values) -> tuple[str, Values]:
        drawn = secrets.token_bytes(inputs["length"])
        text = base64.b64encode(drawn).decode()
        return text, {"base64": text, "hex": drawn.hex()}


@functools.cache
def _libcrypt() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libcrypt.so.1")
    except OSError as error:
        raise Refusal(
            "RandomPassword needs libcrypt.so.1 for its bcryptHash: install the package libcrypt1."
        ) from error
    library.crypt.restype = ctypes.c_char_p
    return library


def bcrypt(password: str) -> str:
    """Hash as the real plugin does: cost 10, the first 72 bytes."""
    alphabet = string.ascii_letters + string.digits + "./"
    salt = "$2a$10$" + "".join(secrets.choice(alphabet) for _ in range(21)) + secrets.choice(".Oeu")
    digest: bytes | None = _libcrypt().crypt(password.encode()[:72], salt.encode())
    return digest.decode() if digest else ""


ACTORS = {
    "random:index/randomPassword:RandomPassword": Password(),
    "random:index/randomId:RandomId": Id(),
    "random:index/randomBytes:RandomBytes": Bytes(),
}
