"""A place to try everything for real: a throw-away server, emulated clouds, neighbours and load."""

from pathlib import Path

TOOLCHAIN = Path(__file__).resolve().parent.parent / ".toolchain"


class RehearsalError(Exception):
    """One sentence for the person at the keyboard: what is wrong, where, and what to do."""
