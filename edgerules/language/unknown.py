"""The value nobody can know offline: a bot score, a managed rule, a list that was not given."""

from __future__ import annotations

from typing import Final


class Unknown:
    """A singleton. Asking for its truth is an error, so that nothing guesses by accident."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is UNKNOWN` first")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
