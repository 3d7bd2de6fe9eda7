"""The emulated clouds' memory: one JSON file per object, written whole or not at all."""

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path

from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import Values


class Store:
    """The objects of one rehearsal that exist beside Pulumi's own state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, token: str, identity: str) -> Path:
        package, _, rest = token.partition(":")
        digest = hashlib.sha256(identity.encode()).hexdigest()[:24]
        return self.folder / package / rest.rsplit(":", 1)[-1] / f"{digest}.json"

    def get(self, token: str, identity: str) -> Values | None:
        """Give what is kept of an object, or None when it does not exist."""
        return self._read(self._path(token, identity))

    def _read(self, path: Path) -> Values | None:
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Refusal(f"{path} cannot be read ({error}): delete it, and refresh the stack.") from error
        if not isinstance(kept, dict) or not {"id", "inputs", "outputs"} <= kept.keys():
            raise Refusal(f"{path} is not an object of this rehearsal: delete it, and refresh the stack.")
        return kept

    def alike(self, token: str, keys: Collection[str], properties: Values) -> bool:
        """Say whether an object of this type has these properties in common with the given ones."""
        folder = self._path(token, "").parent
        kept = (self._read(path) for path in sorted(folder.glob("*.json")))
        return any(all(item["outputs"].get(key) == properties.get(key) for key in keys) for item in kept if item)

    def put(self, token: str, identity: str, inputs: Values, outputs: Values) -> None:
        """Keep an object; its file appears whole or not at all."""
        path = self._path(token, identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.{id(inputs)}")
        kept = {"type": token, "id": identity, "inputs": inputs, "outputs": outputs}
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
        temporary.replace(path)

    def delete(self, token: str, identity: str) -> None:
        """Forget an object; that it is gone already is no mistake."""
        self._path(token, identity).unlink(missing_ok=True)
