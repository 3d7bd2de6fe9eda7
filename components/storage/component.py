"""The buckets of a system, uploads and backups, each with the key of the one who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pulumi

from components.storage.bucket import PrivateBucket, PrivateBucketArgs
from components.storage.config import R2, Replica, StorageSettings
from components.storage.identity import BroughtKey, BucketKey, BucketKeyArgs, application, backup
from components.storage.lifecycle import backup_rules, log_rules, media_rules
from components.storage.policies import takes_logs_of
from components.storage.replication import Replication, ReplicationArgs


@dataclass(frozen=True)
class StorageArgs:
    settings: StorageSettings
    site_origins: Sequence[str]
    """Pages that may upload where the settings name none."""
    disposable: bool
    tags: Mapping[str, str]
    generations: tuple[int, int] = (1, 1)
    """Of the keys for uploads and for dumps."""
    secrets: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Of the stack: R2's key is brought by its owner."""


class Storage(pulumi.ComponentResource):
    backups: PrivateBucket
    uploads: BucketKey | BroughtKey
    """The application's, to the media bucket alone."""
    dumps: BucketKey
    """The server's: it adds and reads dumps, and can neither delete nor replace one."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:Storage", name, None, opts)
        self._args, self._ours = args, pulumi.ResourceOptions(parent=self)
        logs = self._log_bucket(f"{name}-logs")
        r2 = args.settings.media.r2
        media = self._media_in_r2(f"{name}-media", r2) if r2 else self._media(f"{name}-media", logs)
        self.backups = self._backups(f"{name}-backups", logs)
        self.uploads, self.dumps = self._keys(name)
        self.register_outputs({"media": media, "backups": self.backups.name})

    def _log_bucket(self, name: str) -> PrivateBucket | None:
        settings, logs = self._args.settings, self._args.settings.access_logs
        if logs is None:
            return None
        logged = [settings.backups.name, *([] if settings.media.r2 else [settings.media.name])]
        args = PrivateBucketArgs(
            bucket=logs.bucket,
            lifecycle=log_rules(logs.kept),
            statements=[takes_logs_of(logs.bucket, logged)],
            disposable=self._args.disposable,
            tags={**self._args.tags, "holds": "access-logs"},
        )
        return PrivateBucket(name, args, self._ours)

    def _media(self, name: str, logs: PrivateBucket | None) -> pulumi.Output[str]:
        settings, media = self._args.settings, self._args.settings.media
        args = PrivateBucketArgs(
            bucket=media.name,
            lifecycle=media_rules(media),
            # Replication copies versions.
            versioned=settings.versioning or settings.replica is not None,
            upload_origins=media.upload_origins or self._args.site_origins,
            access_logs=logs,
            disposable=self._args.disposable,
            tags={**self._args.tags, "holds": "uploads"},
        )
        made = PrivateBucket(name, args, self._ours)
        if settings.replica:
            self._copied(name, made, settings.replica, settings.replica.media)
        return made.name

    def _backups(self, name: str, logs: PrivateBucket | None) -> PrivateBucket:
        backups, replica = self._args.settings.backups, self._args.settings.replica
        args = PrivateBucketArgs(
            bucket=backups.name,
            lifecycle=backup_rules(backups),
            object_lock=backups.object_lock,
            access_logs=logs,
            disposable=self._args.disposable,
            tags={**self._args.tags, "holds": "backups"},
        )
        made = PrivateBucket(name, args, self._ours)
        if replica:
            self._copied(name, made, replica, replica.backups)
        return made

    def _copied(self, name: str, source: PrivateBucket, replica: Replica, to: str) -> None:
        args = replace(source.args, bucket=to, region=replica.region, access_logs=None)
        target = PrivateBucket(f"{name}-replica", args, self._ours)
        of_uploads = to == replica.media
        # A dump stays when somebody deletes the original; an upload that a visitor deletes has to go everywhere.
        replication = ReplicationArgs(
            source, target, "STANDARD" if of_uploads else "STANDARD_IA", of_uploads, self._args.tags
        )
        Replication(f"{name}-replication", replication, self._ours)

    def _media_in_r2(self, name: str, r2: R2) -> pulumi.Output[str]:
        from components.storage.r2 import R2Media, R2MediaArgs  # noqa: PLC0415  most stacks have none

        media = self._args.settings.media
        origins = media.upload_origins or self._args.site_origins
        return R2Media(name, R2MediaArgs(media, r2, origins, self._args.disposable), self._ours).name

    def _keys(self, name: str) -> tuple[BucketKey | BroughtKey, BucketKey]:
        media, backups = self._args.settings.media, self._args.settings.backups
        of_uploads, of_dumps = self._args.generations
        dumps = BucketKeyArgs(f"{backups.name}-server", backup(backups.name, backups.prefix), self._args.tags, of_dumps)
        if media.r2:
            secrets = self._args.secrets
            uploads: BucketKey | BroughtKey = BroughtKey(secrets["r2_access_key_id"], secrets["r2_secret_access_key"])
        else:
            rights = BucketKeyArgs(f"{media.name}-application", application(media.name), self._args.tags, of_uploads)
            uploads = BucketKey(f"{name}-uploads", rights, self._ours)
        return uploads, BucketKey(f"{name}-dumps", dumps, self._ours)
