"""Object Lock where moto takes too much: retention cannot be shortened, and needs a bucket that has it enabled."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from rehearsal.clouds.aws import backend, bodies, errors
from rehearsal.clouds.aws.actions import BYPASS, Call
from rehearsal.clouds.aws.errors import AwsError, denied
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.wire import Response

MISSING = "Bucket is missing Object Lock Configuration"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LOCKED = "Access Denied because object protected by object lock."
LOCK_HEADERS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")
MODES = ("GOVERNANCE", "COMPLIANCE")


def check_put(call: Call, clock: Clock) -> None:
    """Headers that lock what is being written."""
    headers = call.request.headers
    mode, until, hold = (headers.get(name) for name in LOCK_HEADERS)
    if mode is None and until is None and hold is None:
        return
    _enabled(call)
    if (mode is None) != (until is None):
        raise AwsError(
            400,
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    if mode is not None:
        _valid(mode, until or "", clock)
    if hold not in (None, "ON", "OFF"):
        raise AwsError(400, "InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'")


def check_retention(call: Call, clock: Clock) -> None:
    """Longer is always possible; shorter, weaker or none only in GOVERNANCE mode by who may bypass it."""
    _enabled(call)
    body = bodies.read(call.request.body, "Retention")
    mode, until = bodies.text(body, "Mode"), bodies.text(body, "RetainUntilDate")
    if mode is not None or until is not None:
        _valid(mode or "", until or "", clock)
    found = backend.version(call.bucket, call.key, call.version)
    if found is None or not backend.is_object(found) or not found.lock_mode or not found.lock_until:
        return
    before = moment(found.lock_until)
    if before <= clock.seconds():
        return
    weaker = mode != found.lock_mode if found.lock_mode == "COMPLIANCE" else mode is None
    shorter = until is None or moment(until) < before
    may_bypass = found.lock_mode == "GOVERNANCE" and call.request.headers.get(BYPASS, "").lower() == "true"
    if (weaker or shorter) and not may_bypass:
        raise denied(LOCKED)


def check_legal_hold(call: Call, clock: Clock) -> None:
    _enabled(call)
    if bodies.text(bodies.read(call.request.body, "LegalHold"), "Status") not in ("ON", "OFF"):
        raise bodies.malformed()


def check_delete(call: Call, clock: Clock) -> None:
    """A locked version stays. Without a version id only a marker is put in front of it, which is allowed."""
    found = backend.version(call.bucket, call.key, call.version) if call.version else None
    bypass = call.request.headers.get(BYPASS, "").lower() == "true"
    if found is not None and backend.is_object(found) and found.is_locked(bypass):
        raise denied(LOCKED)


def check_configuration(call: Call, clock: Clock) -> None:
    found = backend.bucket(call.bucket)
    if found is not None and found.versioning_status != "Enabled":
        raise AwsError(
            409, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        )
    body = bodies.read(call.request.body, "ObjectLockConfiguration")
    rule = body.find("Rule/DefaultRetention")
    if rule is None:
        return
    days, years = bodies.integer(rule, "Days"), bodies.integer(rule, "Years")
    if (days is None) == (years is None) or bodies.text(rule, "Mode") not in MODES:
        raise bodies.malformed()
    if (days or years or 0) <= 0:
        raise AwsError(400, "InvalidArgument", "Default retention period must be a positive integer value")


def configure(call: Call) -> Response:
    """Done here: moto enables it on empty buckets only, S3 since 2023 on any with versions."""
    found, rule = backend.bucket(call.bucket), bodies.read(call.request.body, "ObjectLockConfiguration").find("Rule")
    if found is None:
        raise AwsError(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=str(call.bucket))
    retention = rule.find("DefaultRetention") if rule is not None else None
    found.object_lock_enabled = True
    found.default_lock_mode = bodies.text(retention, "Mode")
    found.default_lock_days = bodies.integer(retention, "Days") or 0 if retention is not None else 0
    found.default_lock_years = bodies.integer(retention, "Years") or 0 if retention is not None else 0
    return Response(200)


def answer_retention(call: Call) -> Response:
    """Moto has no answer for this call."""
    found = backend.version(call.bucket, call.key, call.version)
    _enabled(call)
    if found is None or not backend.is_object(found):
        raise AwsError(404, "NoSuchKey", "The specified key does not exist.", Key=str(call.key))
    if not found.lock_mode:
        raise AwsError(
            404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration"
        )
    inner = f"<Mode>{found.lock_mode}</Mode><RetainUntilDate>{found.lock_until}</RetainUntilDate>"
    return Response(200, f'<Retention xmlns="{NAMESPACE}">{inner}</Retention>'.encode(), errors.XML)


def check_versioning(call: Call, clock: Clock) -> None:
    found = backend.bucket(call.bucket)
    suspends = re.search(rb"<Status>\s*Suspended\s*<", call.request.body)
    if found is not None and found.object_lock_enabled and suspends:
        raise AwsError(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        )


def moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise bodies.malformed() from None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()


def _enabled(call: Call) -> Any:
    found = backend.bucket(call.bucket)
    if found is not None and not found.object_lock_enabled:
        raise AwsError(400, "InvalidRequest", MISSING)
    return found


def _valid(mode: str, until: str, clock: Clock) -> None:
    if mode not in MODES:
        raise bodies.malformed() if not mode else AwsError(400, "InvalidArgument", "Unknown wormMode directive.")
    if moment(until) <= clock.seconds():
        raise AwsError(400, "InvalidArgument", "The retain until date must be in the future!")
