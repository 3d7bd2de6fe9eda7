"""The condition keys of a request, as far as they can be known here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rehearsal.clouds.aws import backend
from rehearsal.clouds.aws.actions import Call
from rehearsal.clouds.aws.backend import ACCOUNT
from rehearsal.clouds.aws.callers import Caller
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.wire import Answer, Request, Response

Keys = dict[str, tuple[str, ...]]
QUERY_KEYS = ("prefix", "delimiter", "max-keys")
HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
CONDITIONAL = ("if-match", "if-none-match")
# What needs s3:PutObject: whether an object comes of it, or only a part of one.
CREATION = {
    **dict.fromkeys(("PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"), "true"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "false"),
}
WITHOUT_TLS = "x-rehearsal-without-tls"


def as_tls(answer: Answer) -> Answer:
    """Loopback stands for TLS, or no bucket that insists on it could be used."""

    def without_mark(request: Request) -> Response:
        if WITHOUT_TLS in request.headers:
            headers = {name: value for name, value in request.headers.items() if name != WITHOUT_TLS}
            request = replace(request, headers=headers)
        return answer(request)

    return without_mark


def as_plain(answer: Answer) -> Answer:
    """The port whose calls count as made without TLS."""

    def with_mark(request: Request) -> Response:
        return answer(replace(request, headers={**request.headers, WITHOUT_TLS: "true"}))

    return with_mark


def keys(call: Call, caller: Caller, clock: Clock, signature_version: str | None) -> Keys:
    pairs = [*_global(call.request, caller, clock), *_s3(call, clock, signature_version)]
    return {name.lower(): values if isinstance(values, tuple) else (values,) for name, values in pairs}


Pair = tuple[str, "str | tuple[str, ...]"]


def _global(request: Request, caller: Caller, clock: Clock) -> Iterator[Pair]:
    secure = WITHOUT_TLS not in request.headers
    yield "aws:SecureTransport", str(secure).lower()
    # Everything comes from loopback; a test says with this header from where it means to call.
    yield "aws:SourceIp", request.headers.get("x-forwarded-for", request.client).split(",")[0].strip()
    yield "aws:CurrentTime", clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    yield "aws:EpochTime", str(int(clock.seconds()))
    for name, header in (("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")):
        if header in request.headers:
            yield name, request.headers[header]
    if not caller.anonymous:
        yield "aws:PrincipalArn", caller.arn
        yield "aws:PrincipalAccount", ACCOUNT
    yield "aws:PrincipalType", caller.kind
    yield "aws:userid", caller.user_id
    if caller.kind == "User":
        yield "aws:username", caller.name
    region = re.search(r"/(\d{8})/([a-z0-9-]+)/", request.headers.get("authorization", ""))
    if region:
        yield "aws:RequestedRegion", region[2]


def _s3(call: Call, clock: Clock, signature_version: str | None) -> Iterator[Pair]:
    if call.service != "s3":
        return
    request, query = call.request, call.request.query
    yield "s3:ResourceAccount", ACCOUNT
    yield "aws:ResourceAccount", ACCOUNT
    if WITHOUT_TLS not in request.headers:
        yield "s3:TlsVersion", "1.3"
    if signature_version is not None:
        yield "s3:signatureversion", signature_version
        yield "s3:authType", "REST-QUERY-STRING" if "X-Amz-Signature" in query else "REST-HEADER"
    if call.operation.startswith(("ListObject", "ListMultipart", "HeadBucket")):
        # An absent prefix is the empty one: AWS's own examples rely on it.
        yield "s3:prefix", query.get("prefix", "")
        yield from ((f"s3:{name}", query[name]) for name in QUERY_KEYS[1:] if name in query)
    yield from ((f"s3:{name}", request.headers[name]) for name in HEADER_KEYS if name in request.headers)
    yield from ((f"s3:{name}", request.headers[name]) for name in CONDITIONAL if name in request.headers)
    if call.operation in CREATION:
        yield "s3:ObjectCreationOperation", CREATION[call.operation]
    if call.version is not None:
        yield "s3:VersionId", call.version
    yield from _lock(request, clock)
    yield from _tags(call)


def _lock(request: Request, clock: Clock) -> Iterator[Pair]:
    headers = {
        name: request.headers.get(f"x-amz-object-lock-{name}") for name in ("mode", "retain-until-date", "legal-hold")
    }
    body = (
        request.body.decode("utf-8", "replace") if "retention" in request.query or "legal-hold" in request.query else ""
    )
    mode, until = re.search(r"<Mode>(\w+)</Mode>", body), re.search(r"<RetainUntilDate>([^<]+)<", body)
    hold = re.search(r"<Status>(\w+)</Status>", body) if "legal-hold" in request.query else None
    found = {
        "mode": headers["mode"] or (mode and mode[1]),
        "retain-until-date": headers["retain-until-date"] or (until and until[1]),
        "legal-hold": headers["legal-hold"] or (hold and hold[1]),
    }
    yield from ((f"s3:object-lock-{name}", value) for name, value in found.items() if value)
    if found["retain-until-date"]:
        try:
            end = datetime.fromisoformat(found["retain-until-date"].replace("Z", "+00:00"))
        except ValueError:
            return
        days = (end.timestamp() - clock.seconds()) / 86400
        yield "s3:object-lock-remaining-retention-days", str(max(0, round(days)))


def _tags(call: Call) -> Iterator[Pair]:
    requested = dict(
        part.partition("=")[::2] for part in call.request.headers.get("x-amz-tagging", "").split("&") if part
    )
    for key, value in requested.items():
        yield f"s3:RequestObjectTag/{key}", value
    if requested:
        yield "s3:RequestObjectTagKeys", tuple(requested)
    found = backend.version(call.bucket, call.key, call.version)
    if found is not None and backend.is_object(found):
        tags = backend.s3().tagger.get_tag_dict_for_resource(found.arn)
        yield from ((f"s3:ExistingObjectTag/{key}", str(value)) for key, value in tags.items())
