"""As much of S3 as a backup needs, in the standard library.

No packaged client of Debian 12 or Ubuntu 22.04 can say `If-None-Match: *` when it makes an object, and without that the
bucket takes nothing from the server's key: so that key can never replace a dump (docs/decisions/0011-backups.md).
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import re
import ssl
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from components.backup.onhost.problem import AwayError

CHUNK = 1 << 20
SECONDS = 60
# S3 takes 5 GiB in one piece; smaller pieces lose less when the network does.
LARGEST_PUT = 1 << 30
PART = 128 << 20
NOTHING = hashlib.sha256(b"").hexdigest()
WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken", "Forbidden"}


class S3Error(AwayError):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"S3 answered {status} {code}: {message}" if status else message)
        self.status, self.code = status, code

    @property
    def temporary(self) -> bool:
        """Worth another try: the network, S3 itself, or too many calls at once."""
        return self.status in (0, 408, 429) or self.status >= 500 or self.code in ("SlowDown", "RequestTimeout")

    @property
    def wrong_key(self) -> bool:
        return self.code in WRONG_KEY


@dataclass(frozen=True)
class Object:
    key: str
    size: int
    storage_class: str
    modified: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retrieval: str = ""
    """x-amz-restore: how far an archived object is on its way."""

    @property
    def archived(self) -> bool:
        return self.storage_class in ("GLACIER", "DEEP_ARCHIVE") and 'ongoing-request="false"' not in self.retrieval

    @property
    def coming(self) -> bool:
        return 'ongoing-request="true"' in self.retrieval


@dataclass(frozen=True)
class Call:
    method: str
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | BinaryIO = b""
    digest: str = NOTHING
    """SHA-256 of the body."""
    length: int = 0


@dataclass(frozen=True)
class Bucket:
    name: str
    region: str
    id: str = field(repr=False)
    secret: str = field(repr=False)
    endpoint: str | None = None

    def put(self, key: str, path: Path, metadata: Mapping[str, str], *, whole: int = LARGEST_PUT) -> None:
        """A new object, as STANDARD_IA; S3 compares the checksum, and refuses when there is one of that name."""
        about = {"x-amz-storage-class": "STANDARD_IA", **{f"x-amz-meta-{k}": v for k, v in metadata.items()}}
        if path.stat().st_size > whole:
            return self._put_in_parts(key, path, about)
        digest, size = digest_of(path), path.stat().st_size
        checked = {"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(digest)).decode(), "if-none-match": "*"}
        with path.open("rb") as body, self.call(Call("PUT", key, {}, {**about, **checked}, body, digest, size)):
            return None

    def _put_in_parts(self, key: str, path: Path, about: Mapping[str, str]) -> None:
        with self.call(Call("POST", key, {"uploads": ""}, about)) as answer:
            upload = found(answer.read(), "UploadId")
        try:
            tags = [self._part(key, upload, number, piece) for number, piece in enumerate(pieces(path, PART), 1)]
            rows = [f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1)]
            text = f"<CompleteMultipartUpload>{''.join(rows)}</CompleteMultipartUpload>".encode()
            digest = hashlib.sha256(text).hexdigest()
            finish = Call("POST", key, {"uploadId": upload}, {"if-none-match": "*"}, text, digest, len(text))
            with self.call(finish) as answer:
                said = answer.read()
                # The answer begins before S3 is done: a failure can come with status 200.
                if b"<Error>" in said:
                    raise S3Error(500, found(said, "Code"), found(said, "Message"))
        except BaseException:
            with self.call(Call("DELETE", key, {"uploadId": upload})):
                pass
            raise

    def _part(self, key: str, upload: str, number: int, piece: bytes) -> str:
        digest = hashlib.sha256(piece).hexdigest()
        query = {"partNumber": str(number), "uploadId": upload}
        with self.call(Call("PUT", key, query, {}, piece, digest, len(piece))) as answer:
            return str(answer.headers["ETag"])

    def head(self, key: str) -> Object:
        with self.call(Call("HEAD", key)) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
        mark = "x-amz-meta-"
        return Object(
            key,
            int(headers.get("content-length", 0)),
            headers.get("x-amz-storage-class", "STANDARD"),
            headers.get("last-modified", ""),
            {name[len(mark) :]: value for name, value in headers.items() if name.startswith(mark)},
            headers.get("x-amz-restore", ""),
        )

    @contextmanager
    def get(self, key: str) -> Iterator[http.client.HTTPResponse]:
        with self.call(Call("GET", key)) as answer:
            yield answer

    def retrieve(self, key: str, days: int = 7) -> None:
        """Ask for a copy out of the archive; S3 needs up to five hours for it."""
        tier = "<GlacierJobParameters><Tier>Standard</Tier></GlacierJobParameters>"
        text = f"<RestoreRequest><Days>{days}</Days>{tier}</RestoreRequest>".encode()
        try:
            with self.call(
                Call("POST", key, {"restore": ""}, {}, text, hashlib.sha256(text).hexdigest(), len(text))
            ) as answer:
                answer.read()
        except S3Error as error:
            if error.code != "RestoreAlreadyInProgress":
                raise

    def list(self, prefix: str) -> list[Object]:
        listed: list[Object] = []
        query = {"list-type": "2", "prefix": prefix}
        while True:
            with self.call(Call("GET", "", query)) as answer:
                root = ET.fromstring(plain(answer.read()))  # noqa: S314 (S3's own answer, over TLS)
            for each in root.iter("Contents"):
                size, kind = int(each.findtext("Size") or 0), each.findtext("StorageClass") or "STANDARD"
                listed.append(Object(each.findtext("Key") or "", size, kind, each.findtext("LastModified") or ""))
            more = root.findtext("NextContinuationToken")
            if not more:
                return listed
            query = {**query, "continuation-token": more}

    @contextmanager
    def call(self, call: Call) -> Iterator[http.client.HTTPResponse]:
        where, path = self._place(call.key)
        connection = (
            http.client.HTTPSConnection(where.netloc, timeout=SECONDS, context=ssl.create_default_context())
            if where.scheme == "https"
            else http.client.HTTPConnection(where.netloc, timeout=SECONDS)
        )
        try:
            headers = self._signed(call, where.netloc, path)
            target = f"{path}?{encoded(call.query)}" if call.query else path
            connection.request(call.method, target, body=call.body or None, headers=headers)
            answer = connection.getresponse()
            if answer.status >= 300:
                raise failure(answer)
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise S3Error(0, "unreachable", f"S3 at {where.netloc} cannot be reached: {error or type(error)}") from None
        finally:
            connection.close()

    def _place(self, key: str) -> tuple[urllib.parse.SplitResult, str]:
        quoted = urllib.parse.quote(key, safe="/~-_.")
        if self.endpoint:
            return urllib.parse.urlsplit(self.endpoint), f"/{self.name}/{quoted}".rstrip("/") or "/"
        return urllib.parse.urlsplit(f"https://{self.name}.s3.{self.region}.amazonaws.com"), f"/{quoted}"

    def _signed(self, call: Call, host: str, path: str) -> dict[str, str]:
        """Signature version 4: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {
            **{name.lower(): value for name, value in call.headers.items()},
            "host": host,
            "x-amz-content-sha256": call.digest,
            "x-amz-date": stamp,
        }
        names = ";".join(sorted(headers))
        lines = [call.method, path, encoded(call.query)]
        lines += [*(f"{name}:{headers[name].strip()}" for name in sorted(headers)), "", names, call.digest]
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        who = f"AWS4-HMAC-SHA256 Credential={self.id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "authorization": who, "content-length": str(call.length)}


def whole(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body; one that ends early is the network's failure and not a shorter object."""
    length, seen = int(answer.headers.get("content-length", -1)), 0
    while piece := answer.read(CHUNK):
        seen += len(piece)
        yield piece
    if length not in (-1, seen):
        raise S3Error(0, "IncompleteBody", f"S3 sent {seen} of {length} bytes.")


def encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quoted(key)}={quoted(value)}" for key, value in sorted(query.items()))


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="~-_.")


def failure(answer: http.client.HTTPResponse) -> S3Error:
    """A HEAD has no words: then the status says it."""
    said = answer.read()
    code = found(said, "Code") or {403: "AccessDenied", 404: "NoSuchKey"}.get(answer.status, answer.reason)
    return S3Error(answer.status, code, found(said, "Message") or answer.reason)


def found(said: bytes, tag: str) -> str:
    match = re.search(f"<{tag}>([^<]*)</{tag}>".encode(), said)
    return match[1].decode(errors="replace") if match else ""


def plain(said: bytes) -> str:
    """Without the namespace, which only makes names long."""
    return re.sub(r' xmlns="[^"]*"', "", said.decode(), count=1)


def pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def digest_of(path: Path) -> str:
    known = hashlib.sha256()
    for piece in pieces(path, CHUNK):
        known.update(piece)
    return known.hexdigest()
