"""What goes wrong, as a sentence for whoever reads the message at night."""

from __future__ import annotations


class BackupError(Exception):
    """What, where, and what to do."""


class AwayError(BackupError):
    """Where backups go does not answer, or not now: the next hour tries again."""


class RefusedError(BackupError):
    """A backup that must not be restored; nothing has been touched."""
