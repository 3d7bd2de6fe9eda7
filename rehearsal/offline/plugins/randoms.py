"""pulumi-random: really random values."""

import base64
import ctypes
import functools
import secrets
import string
from typing import Any, ClassVar

from rehearsal.offline.plugins.generated import Generated
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Refusal

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits}


class Password(Generated):
    """random.RandomPassword."""

    static: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("lower", "upper", "numeric", "number", "special"), True),
        **dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), 0),
    }

    def make(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Draw the required characters of each class and the rest from all of them, and shuffle."""
        inputs["numeric"] = inputs["number"] = inputs["numeric"] and inputs["number"]
        sets = {name: chars for name, chars in _CLASSES.items() if inputs[name]}
        if inputs["special"]:
            sets["special"] = inputs.get("overrideSpecial") or _SPECIAL
        least = {name: inputs[f"min{name.title()}"] for name in (*_CLASSES, "special")}
        self._refuse_impossible(inputs["length"], sum(least.values()), bool(sets))
        drawn = [secrets.choice(sets.get(name, "")) for name, count in least.items() for _ in range(count)]
        every = "".join(sets.values())
        drawn += [secrets.choice(every) for _ in range(inputs["length"] - len(drawn))]
        secrets.SystemRandom().shuffle(drawn)
        return "none", {"result": "".join(drawn), "bcryptHash": bcrypt("".join(drawn))}

    def _refuse_impossible(self, length: int, least: int, any_class: bool) -> None:
        if length < max(1, least):
            raise Refusal(f"length must be at least {max(1, least)} (1, and the sum of the minimums), but is {length}.")
        if not any_class:
            raise Refusal("At least one of lower, upper, numeric and special must be true.")

    def read(
        self, subject: Subject, identity: str, state: dict[str, Any], inputs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Import: the id is the password."""
        if state:
            return state, inputs
        given = {**self.static, "length": len(identity)}
        return {**given, "result": identity, "bcryptHash": bcrypt(identity)}, given


class Id(Generated):
    """random.RandomId."""

    def make(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Draw the bytes and write them in four ways, each behind the prefix."""
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

    def make(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Draw the bytes."""
        drawn = secrets.token_bytes(inputs["length"])
        return "none", {"base64": base64.b64encode(drawn).decode(), "hex": drawn.hex()}


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
