"""Whose lock is on a stack, and whether they still live. A killed engine leaves its lock behind."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ops.errors import OperatorError


@dataclass(frozen=True)
class Lock:
    pid: int
    user: str
    host: str
    since: str

    @property
    def is_dead(self) -> bool:
        """Only what was made on this machine can be known to have ended."""
        return self.host == socket.gethostname() and not _is_alive(self.pid)

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}, since {self.since})"


def locks(backend: str, project: str, stack: str) -> list[Lock]:
    prefix = f".pulumi/locks/organization/{project}/{stack}/"
    address = urlsplit(backend)
    if address.scheme == "file":
        found = _in_folder(Path(address.path) / prefix)
    elif address.scheme == "s3":
        found = _in_bucket(address.netloc, prefix, parse_qs(address.query).get("region", [None])[0])
    else:
        # Pulumi Cloud keeps locks itself, and lets go of those whose owner is gone.
        return []
    return [_parse(text) for text in found]


def _in_folder(folder: Path) -> Iterator[str]:
    return (file.read_text() for file in sorted(folder.glob("*.json")))


def _in_bucket(bucket: str, prefix: str, region: str | None) -> Iterator[str]:
    from ops.aws import client  # noqa: PLC0415 (boto3 takes a moment, and only this backend needs it)

    s3 = client("s3", region)
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        yield s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()


def _parse(text: str) -> Lock:
    try:
        content = json.loads(text)
        return Lock(int(content["pid"]), content["username"], content["hostname"], content["timestamp"])
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            "The stack's lock is damaged. Make sure that nobody is at work, then run `pulumi cancel`."
        ) from error


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
