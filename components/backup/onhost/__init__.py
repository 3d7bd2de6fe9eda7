"""Backup, verification and restore as they run on the server: the standard library alone, and no laptop or engine."""
