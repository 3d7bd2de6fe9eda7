"""Where envelopes lie: beside the state, on the operator's own disk, and wherever somebody asks for a copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ops.errors import OperatorError


@dataclass(frozen=True)
class Place:
    """An object in S3 or a file."""

    address: str
    read: Callable[[], bytes]
    write: Callable[[bytes], None]
    written: Callable[[], datetime | None]
    """When it was written last; None if there is none."""


def beside(backend: str, system: str, stack: str) -> Place | None:
    """In the backend, outside of what the engine keeps there. Pulumi Cloud has no such place."""
    address, name = urlsplit(backend), file_name(system, stack)
    if address.scheme == "s3":
        return _object(address.netloc, f"escrow/{name}", parse_qs(address.query).get("region", [None])[0])
    if address.scheme == "file":
        return _file(Path(address.path).expanduser() / "escrow" / name)
    return None


def at_hand(system: str, stack: str) -> Place:
    """On the operator's disk: losing the whole backend does not lose it."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return _file(Path(home) / "neurmatic-infrastructure" / "escrow" / file_name(system, stack))


def place(address: str) -> Place:
    """A path, or s3://BUCKET/KEY?region=REGION."""
    parts = urlsplit(address)
    if parts.scheme == "s3":
        key = parts.path.removeprefix("/")
        if not parts.netloc or not key:
            raise OperatorError(f"{address} names no object: s3://BUCKET/KEY is the form.")
        return _object(parts.netloc, key, parse_qs(parts.query).get("region", [None])[0])
    return _file(Path(address).expanduser())


def file_name(system: str, stack: str) -> str:
    return f"{system}-{stack}.tar.gz.age"


def _file(path: Path) -> Place:
    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise OperatorError(f"There is no envelope to read at {path}: {error.strerror}.") from None

    def write(sealed: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_bytes(sealed)
        fresh.replace(path)

    def written() -> datetime | None:
        return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc) if path.exists() else None

    return Place(str(path), read, write, written)


def _object(bucket: str, key: str, region: str | None) -> Place:
    # boto3 takes a moment, and only this kind of place needs it.
    from botocore.exceptions import ClientError  # noqa: PLC0415

    from ops.aws import asking_aws, client  # noqa: PLC0415

    def read() -> bytes:
        with asking_aws(f"read s3://{bucket}/{key}"):
            return bytes(client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read())

    def write(sealed: bytes) -> None:
        with asking_aws(f"write s3://{bucket}/{key}"):
            client("s3", region).put_object(Bucket=bucket, Key=key, Body=sealed)

    def written() -> datetime | None:
        with asking_aws(f"look at s3://{bucket}/{key}"):
            try:
                found: datetime = client("s3", region).head_object(Bucket=bucket, Key=key)["LastModified"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "404":
                    return None
                raise
            return found

    return Place(f"s3://{bucket}/{key}", read, write, written)
