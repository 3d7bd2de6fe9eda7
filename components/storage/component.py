"""The buckets of a system, uploads and backups, each with the key of the one who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.storage.bucket import PrivateBucket, PrivateBucketArgs
from components.storage.config import StorageSettings
from components.storage.identity import BucketKey, BucketKeyArgs, application, backup
from components.storage.lifecycle import backup_rules, media_rules


@dataclass(frozen=True)
class StorageArgs:
    settings: StorageSettings
    site_origins: Sequence[str]
    """Pages that may upload where the settings name none."""
    disposable: bool
    tags: Mapping[str, str]
    generations: tuple[int, int] = (1, 1)
    """Of the keys for uploads and for dumps."""


class Storage(pulumi.ComponentResource):
    media: PrivateBucket
    backups: PrivateBucket
    uploads: BucketKey
    """The application's, to the media bucket alone."""
    dumps: BucketKey
    """The server's: it adds and reads dumps, and can neither delete nor replace one."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:Storage", name, None, opts)
        self.media = self._media(f"{name}-media", args)
        self.backups = self._backups(f"{name}-backups", args)
        self.uploads, self.dumps = self._keys(name, args)
        self.register_outputs({"media": self.media.name, "backups": self.backups.name})

    def _media(self, name: str, args: StorageArgs) -> PrivateBucket:
        media = args.settings.media
        return PrivateBucket(
            name,
            PrivateBucketArgs(
                bucket=media.name,
                lifecycle=media_rules(media),
                versioned=args.settings.versioning,
                upload_origins=media.upload_origins or args.site_origins,
                access_logs=args.settings.access_logs,
                disposable=args.disposable,
                tags={**args.tags, "holds": "uploads"},
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _backups(self, name: str, args: StorageArgs) -> PrivateBucket:
        backups = args.settings.backups
        return PrivateBucket(
            name,
            PrivateBucketArgs(
                bucket=backups.name,
                lifecycle=backup_rules(backups),
                object_lock=backups.object_lock,
                access_logs=args.settings.access_logs,
                disposable=args.disposable,
                tags={**args.tags, "holds": "backups"},
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _keys(self, name: str, args: StorageArgs) -> tuple[BucketKey, BucketKey]:
        media, backups = args.settings.media.name, args.settings.backups
        ours = pulumi.ResourceOptions(parent=self)
        of_uploads, of_dumps = args.generations
        uploads = BucketKeyArgs(f"{media}-application", application(media), args.tags, of_uploads)
        dumps = BucketKeyArgs(f"{backups.name}-server", backup(backups.name, backups.prefix), args.tags, of_dumps)
        return BucketKey(f"{name}-uploads", uploads, ours), BucketKey(f"{name}-dumps", dumps, ours)
