"""What the storage section cannot say, because S3 or R2 would refuse it."""

from __future__ import annotations

from collections.abc import Iterable

from components.mistakes import Mistake
from components.storage.config import StorageSettings
from components.storage.lifecycle import backup_rules, media_rules, refusals


def lifecycles_are_accepted(storage: StorageSettings) -> Iterable[Mistake]:
    for path, rules in (
        (("storage", "media", "infrequent_after"), media_rules(storage.media)),
        (("storage", "backups", "deep_archive_after"), backup_rules(storage.backups)),
    ):
        for rule in rules:
            yield from (Mistake(path, text) for text in refusals(rule))


def replica_is_elsewhere(storage: StorageSettings) -> Iterable[Mistake]:
    if storage.replica and storage.replica.region == storage.region:
        path = ("storage", "replica", "region")
        yield Mistake(path, f"given {storage.region}; allowed is another region than that of the buckets")
    if storage.replica and storage.media.r2:
        yield Mistake(
            ("storage", "media", "r2"), "given with storage.replica; R2 is not replicated by S3: leave one out"
        )
