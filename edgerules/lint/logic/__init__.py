"""Proofs about expressions: which can never be true together.

`impossible` answers True only with a proof. Where it finds none (or gives up) it answers False, so that
a finding built on it is never a false alarm.
"""

from edgerules.lint.logic.search import Goal, impossible

__all__ = ["Goal", "impossible"]
