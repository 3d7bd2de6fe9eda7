"""Moto in this process, with its time and its random numbers in our hands: so a journal of calls makes it again.

Moto keeps everything in memory. Each call that changes something is written down with the moment and the seed under
which it was made; after a restart the calls are repeated, and ids, keys and dates come out the same.
"""

from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("MOTO_S3_CUSTOM_ENDPOINTS", "")
os.environ.setdefault("MOTO_ENABLE_ISO_REGIONS", "false")

import moto.core.utils
import moto.iam.models
import moto.s3.models
import moto.sts.models
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header
from moto.iam.access_control import PermissionResult
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import run_wsgi_app

from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.state import Journal
from rehearsal.clouds.wire import Request, Response

ACCOUNT = DEFAULT_ACCOUNT_ID
SERVICES: tuple[Literal["s3", "iam"], ...] = ("s3", "iam")
KEPT_HEADERS = ("authorization", "content-", "x-amz-", "if-", "cache-control", "expires", "host", "range")
JUDGED = "AWS4-HMAC-SHA256 Credential=judged/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
NAMES_WITH_UNDERSCORE = "x-amz-meta-"


class Moto:
    """The one instance of this process: moto's state is global."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.lock = threading.RLock()
        self._clock, self._journal = clock, Journal(folder / "aws.jsonl")
        self._apps: dict[str, Any] = {str(name): create_backend_app(name) for name in SERVICES}
        _tame(clock)

    def repeat(self, again: Callable[[str, Request], Response]) -> None:
        """Make everything again, as it was written down."""
        for number, entry in self._journal.entries():
            try:
                request = Request(entry["method"], entry["target"], entry["headers"], entry["body"])
                service, at, seed, status = entry["service"], entry["at"], entry["seed"], entry["status"]
            except KeyError as error:
                raise self._journal.corrupt(number, f"lacks {error}") from None
            with self._clock.at(at):
                mock_random.seed(seed)
                try:
                    response = again(service, request)
                except AwsError as error:
                    raise self._journal.corrupt(
                        number, f"was answered with {status} and is now refused: {error}"
                    ) from None
            if response.status != status:
                raise self._journal.corrupt(number, f"was answered with {status} and now with {response.status}")

    def change(self, service: str, request: Request, make: Callable[[str, Request], Response]) -> Response:
        """Carry out a call that changes something, and write it down before it is answered."""
        at, seed = self._clock.seconds(), int.from_bytes(os.urandom(8), "big")
        with self._clock.at(at):
            mock_random.seed(seed)
            response = make(service, request)
        if response.status < 300:
            headers = {name: value for name, value in request.headers.items() if name.startswith(KEPT_HEADERS)}
            call = {"service": service, "method": request.method, "target": request.target, "headers": headers}
            self._journal.append({"at": at, "seed": seed, "status": response.status, **call, "body": request.body})
        return response

    def ask(self, service: str, request: Request) -> Response:
        """Moto's own answer, with nothing around it."""
        stream, status, headers = run_wsgi_app(self._apps[service], _environ(request), buffered=True)
        return Response(int(status.split()[0]), b"".join(stream), dict(headers))


class _SeededOs:
    """`os` for moto's S3, where upload ids come from os.urandom: those have to come out the same again."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    @staticmethod
    def urandom(count: int) -> bytes:
        return mock_random.getrandbits(8 * count).to_bytes(count, "big")


def _tame(clock: Clock) -> None:
    def utcnow() -> Any:
        return clock.now().replace(tzinfo=None)

    for module in (moto.core.utils, moto.s3.models, moto.iam.models, moto.sts.models):
        module.utcnow = utcnow  # type: ignore[attr-defined]
    # Moto has a judgement of its own, which knows no conditions. Who arrives here has been judged.
    setattr(moto.s3.models.FakeBucket, "get_permission", lambda *_: PermissionResult.PERMITTED)  # noqa: B010
    setattr(moto.s3.models, "os", _SeededOs())  # noqa: B010 - moto does not offer the name
    mock_random.seed(random.SystemRandom().getrandbits(64))


def _environ(request: Request) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name != "transfer-encoding"}
    headers["content-length"] = str(len(request.body))
    headers.setdefault("authorization", JUDGED)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        # WSGI wants the bytes of the path, decoded as if they were Latin-1.
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "QUERY_STRING": request.raw_query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "SCRIPT_NAME": "",
    }
    environ |= {environ_key_for_header(name): value for name, value in headers.items()}
    kept = {n for n in headers if n.startswith(NAMES_WITH_UNDERSCORE) and "_" in n}
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {environ_key_for_header(name): name for name in kept}
    return environ


def s3() -> Any:
    return moto.s3.models.s3_backends[ACCOUNT]["aws"]


def bucket(name: str | None) -> Any | None:
    return s3().buckets.get(name) if name else None


def version(bucket_name: str | None, key: str | None, version_id: str | None = None) -> Any | None:
    """The object (or the delete marker) as moto holds it; without a version id the current one."""
    found = bucket(bucket_name)
    if found is None or key is None:
        return None
    versions = found.keys.getlist(key, default=[])
    if version_id is None:
        return versions[-1] if versions else None
    return next((one for one in versions if str(one.version_id) == version_id), None)


def is_object(found: Any) -> bool:
    return isinstance(found, moto.s3.models.FakeKey)


def iam() -> Any:
    return moto.iam.models.iam_backends[ACCOUNT]["aws"]
