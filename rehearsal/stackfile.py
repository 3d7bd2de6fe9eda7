"""The rehearsal's stack file, made from the committed one. Every difference between the two is one of these.

- secrets: the provider becomes a passphrase, and each secret a stand-in that was generated here;
- data is disposable, so that a rehearsal can leave nothing behind;
- what the committed file leaves open for its owner (see `components.settings`) is filled in.
"""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

# Secrets of the real stack belong to its own provider; here they would neither be readable nor wanted.
DROPPED = ("secretsprovider", "encryptedkey", "encryptionsalt")
STAND_IN = "rehearsal-"


def rehearse(text: str, project: str) -> str:
    document: dict[str, Any] = yaml.safe_load(text) or {}
    kept = {key: value for key, value in document.items() if key not in DROPPED}
    config = {key: value for key, value in kept.get("config", {}).items() if not is_secret(value)}
    config[f"{project}:data"] = "disposable"
    return yaml.safe_dump({**kept, "config": config}, sort_keys=False)


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def stand_in(key: str) -> str:
    """A value for one secret: the same in every preview, and recognisable for the plugins that refuse any other."""
    return STAND_IN + hashlib.sha256(key.encode()).hexdigest()
