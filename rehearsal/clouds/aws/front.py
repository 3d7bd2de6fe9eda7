"""What stands before moto: who calls, may they, would S3 take it. Then moto does it, and it is written down."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from rehearsal.clouds.aws import ageing, authorize, backend, bodies, buckets, errors, lifecycle, locks, signature
from rehearsal.clouds.aws.actions import BUCKET, Call, Need, query_call, s3_call
from rehearsal.clouds.aws.archive import RETRIEVAL, Archive
from rehearsal.clouds.aws.backend import ACCOUNT, Moto
from rehearsal.clouds.aws.callers import NOBODY, Caller, Callers
from rehearsal.clouds.aws.context import Keys, keys
from rehearsal.clouds.aws.errors import AwsError, denied
from rehearsal.clouds.aws.policy.document import MalformedError, parse
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.wire import Request, Response

SERVICES = ("s3", "iam", "sts")
WITH_POLICY = ("PutUserPolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion")
MOST_DELETED = 1000
Check = Callable[[Call, Clock], None]

CHECKS: dict[str, tuple[Check, ...]] = {
    "PutBucketLifecycleConfiguration": (lambda call, clock: lifecycle.check(call.request.body),),
    "PutBucketPolicy": (lambda call, clock: authorize.refuse_bucket_policy(str(call.bucket), call.request.body),),
    "PutBucketVersioning": (locks.check_versioning,),
    "PutObjectLockConfiguration": (locks.check_configuration,),
    "CreateBucket": (buckets.check_name,),
    "PutBucketAcl": (buckets.check_acl,),
    "PutObjectAcl": (buckets.check_acl,),
    "PutObject": (buckets.check_acl, locks.check_put),
    "CopyObject": (buckets.check_acl, locks.check_put),
    "CreateMultipartUpload": (buckets.check_acl, locks.check_put),
    "PutObjectRetention": (locks.check_retention,),
    "PutObjectLegalHold": (locks.check_legal_hold,),
    "DeleteObject": (locks.check_delete,),
}
READS_AN_OBJECT = ("GetObject", "CopyObject", "UploadPartCopy", "SelectObjectContent")
FAILURES = {
    "429": AwsError(503, "SlowDown", "Please reduce your request rate."),
    "500": AwsError(500, "InternalError", "We encountered an internal error. Please try again."),
    "503": AwsError(503, "SlowDown", "Please reduce your request rate."),
}
THROTTLED = AwsError(400, "Throttling", "Rate exceeded")
TIME = "time"
EXPIRED = "The provided token has expired."


class Aws:
    name = "aws"

    def __init__(self, folder: Path, root: tuple[str, str], clock: Clock) -> None:
        self._clock, self._callers, self._archive = clock, Callers(root), Archive(clock)
        # What moto lacks, or does otherwise than S3.
        self._own = {"RestoreObject": self._archive.restore, "PutObjectLockConfiguration": locks.configure}
        self._moto = Moto(folder, clock)
        self.retrieval_seconds: float | None = None
        """How long an archived object takes to come; None: as long as with AWS."""
        self._moto.repeat(self._make)

    def action(self, request: Request) -> str:
        try:
            return self._call(_service(request), request, NOBODY).name
        except AwsError:
            return "unknown"

    def answer(self, request: Request) -> Response:
        service = "s3"
        try:
            service = _service(request)
            return self._answer(service, request)
        except AwsError as error:
            return errors.answer(service, error)

    def failure(self, kind: str, request: Request) -> Response:
        service = _service(request)
        if kind == "expired":
            return errors.answer(service, AwsError(400 if service == "s3" else 403, "ExpiredToken", EXPIRED))
        error = FAILURES[kind] if service == "s3" or kind == "500" else THROTTLED
        return errors.answer(service, error)

    def _answer(self, service: str, request: Request) -> Response:
        if service not in SERVICES:
            raise AwsError(501, "NotImplemented", f"The rehearsal's AWS has {', '.join(SERVICES)}, but no {service}.")
        signed = signature.read(request)
        if signed is not None:
            signature.verify(request, signed, self._callers.secret)
        with self._moto.lock:
            caller = self._callers.caller(signed.key_id) if signed else NOBODY
            call = self._call(service, request, caller)
            context = keys(call, caller, self._clock, "AWS4-HMAC-SHA256" if signed else None)
            if call.operation == "DeleteObjects":
                return self._delete_many(call, caller, context)
            self._refuse(call, caller, context)
            return self._carry_out(call, caller, context)

    def _call(self, service: str, request: Request, caller: Caller) -> Call:
        return s3_call(request) if service == "s3" else query_call(service, request, caller.name)

    def _refuse(self, call: Call, caller: Caller, context: Keys) -> None:
        if call.service == "sts" and call.operation == "GetCallerIdentity" and not caller.anonymous:
            return  # needs no permission, not even after an explicit deny
        if caller.anonymous and call.service != "s3":
            raise AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        for need in call.needs:
            authorize.refuse(need, caller, context)
        for check in CHECKS.get(call.operation, ()) if call.service == "s3" else ():
            check(call, self._clock)
        if call.service == "iam":
            _refuse_on_iam(call)
        if call.operation in READS_AN_OBJECT:
            self._archive.refuse_unreadable(call)

    def _carry_out(self, call: Call, caller: Caller, context: Keys) -> Response:
        if call.service == "sts":
            return _identity(call, caller)
        if call.operation == "GetObjectRetention":
            return locks.answer_retention(call)
        if call.changes:
            return self._moto.change(call.service, self._noted(call), self._make)
        response = self._moto.ask(call.service, call.request)
        if response.status == 404 and call.operation in ("GetObject", "HeadObject"):
            self._hide(call, caller, context)
        if call.operation in ("GetObject", "HeadObject"):
            kept = {name: value for name, value in response.headers.items() if name.lower() != "x-amz-restore"}
            return replace(response, headers={**kept, **self._archive.header(call)})
        return response

    def _noted(self, call: Call) -> Request:
        """What a call's result depends on besides itself has to stand in the journal as well."""
        if call.operation != "RestoreObject" or self.retrieval_seconds is None:
            return call.request
        return replace(call.request, headers={**call.request.headers, RETRIEVAL: str(self.retrieval_seconds)})

    def _hide(self, call: Call, caller: Caller, context: Keys) -> None:
        """Who may not list a bucket does not learn whether a key is in it."""
        need = Need("s3:ListBucket", f"{BUCKET}{call.bucket}")
        if backend.bucket(call.bucket) is not None and not authorize.decision_about(need, caller, context).allowed:
            raise denied()

    def _make(self, service: str, request: Request) -> Response:
        """One change, as it is made the first time and again after a restart."""
        if service == TIME:
            ageing.pass_time(self._clock.seconds(), self._lifecycle)
            return Response(200)
        call = s3_call(request) if service == "s3" else None
        if call is not None and call.operation in self._own:
            return self._own[call.operation](call)
        response = self._moto.ask(service, request)
        if call is not None and call.operation == "CreateBucket" and response.status == 200:
            buckets.as_new(call, self._clock, self._moto.ask)
        if call is not None and call.operation == "DeleteBucketEncryption" and response.status < 300:
            buckets.encrypt(call, self._moto.ask)
        return response

    def time_has_passed(self) -> None:
        """Let lifecycle rules act, at this point of the journal."""
        with self._moto.lock:
            self._moto.change(TIME, Request("POST", "/", {}), self._make)

    def _lifecycle(self, bucket: str) -> bytes:
        return self._moto.ask("s3", Request("GET", f"/{bucket}?lifecycle", {"host": "127.0.0.1"})).body

    def _delete_many(self, call: Call, caller: Caller, context: Keys) -> Response:
        """Each key by itself: one may be deleted, another be locked or forbidden."""
        body = bodies.read(call.request.body, "Delete")
        objects = list(bodies.all_of(body, "Object"))
        if not 1 <= len(objects) <= MOST_DELETED:
            raise bodies.malformed()
        results = [self._delete_one(_single(call, one), caller, context) for one in objects]
        if bodies.text(body, "Quiet") == "true":
            results = [result for result in results if result.startswith("<Error>")]
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>{"".join(results)}</DeleteResult>'
        return Response(200, text.encode(), errors.XML)

    def _delete_one(self, one: Call, caller: Caller, context: Keys) -> str:
        named = f"<Key>{escape(str(one.key))}</Key>"
        named += f"<VersionId>{escape(one.version)}</VersionId>" if one.version else ""
        try:
            self._refuse(one, caller, {**context, **({"s3:versionid": (one.version,)} if one.version else {})})
            response = self._carry_out(one, caller, context)
        except AwsError as error:
            return f"<Error>{named}<Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        headers = {name.lower(): value for name, value in response.headers.items()}
        if headers.get("x-amz-delete-marker") == "true":
            marker = escape(headers.get("x-amz-version-id", "null"))
            named += f"<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>{marker}</DeleteMarkerVersionId>"
        return f"<Deleted>{named}</Deleted>"


def _single(many: Call, element: ET.Element) -> Call:
    """One of many keys as the call that deletes it alone."""
    key, version = bodies.text(element, "Key") or "", bodies.text(element, "VersionId")
    target = f"/{many.bucket}/{quote(key)}" + (f"?versionId={quote(version)}" if version else "")
    kept = ("x-amz-bypass", "host", "x-forwarded-for", "x-rehearsal")
    headers = {name: value for name, value in many.request.headers.items() if name.startswith(kept)}
    return s3_call(Request("DELETE", target, headers, client=many.request.client))


def _service(request: Request) -> str:
    signed = signature.read(request)
    if signed is not None:
        return signed.service
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "iam" if form and request.raw_path == "/" else "s3"


def _refuse_on_iam(call: Call) -> None:
    parameters = parse_qs(call.request.body.decode("utf-8", "replace"))
    if call.operation in WITH_POLICY:
        _refuse_malformed(parameters.get("PolicyDocument", [""])[0])
    if call.operation == "DeleteUser":
        buckets.refuse_deletion_of_user(parameters.get("UserName", [""])[0])


def _refuse_malformed(text: str) -> None:
    try:
        policy = parse(text)
    except MalformedError as error:
        raise AwsError(400, "MalformedPolicyDocument", str(error)) from None
    for statement in policy.statements:
        if statement.principals is not None:
            raise AwsError(400, "MalformedPolicyDocument", "Policy document should not specify a principal.")
        if not statement.resources:
            raise AwsError(400, "MalformedPolicyDocument", "Policy statement must contain resources.")


def _identity(call: Call, caller: Caller) -> Response:
    if call.operation != "GetCallerIdentity":
        raise AwsError(501, "NotImplemented", f"The rehearsal's STS has GetCallerIdentity, but no {call.operation}.")
    inner = f"<Arn>{caller.arn}</Arn><UserId>{caller.user_id}</UserId><Account>{ACCOUNT}</Account>"
    body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>rehearsal</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    return Response(200, body.encode(), {"Content-Type": "text/xml"})
