"""Who signed a request: Signature Version 4, in the header or in the query (presigned)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote

from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.wire import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
LONGEST = 7 * 86400
HEX = re.compile(r"[0-9a-f]{64}")
Secret = Callable[[str], str | None]


@dataclass(frozen=True)
class Signature:
    key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    moment: str
    expires: int | None = None
    """Seconds, of a presigned request."""

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def read(request: Request) -> Signature | None:
    """None for a request that nobody signed."""
    if request.query.get("X-Amz-Algorithm") == ALGORITHM:
        query = request.query
        parts = {name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature", "Date")}
        expires = query.get("X-Amz-Expires", "")
        if not expires.isdigit() or int(expires) > LONGEST:
            raise AwsError(
                400, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds)"
            )
        return _signature(parts, parts["Date"], int(expires))
    header = request.headers.get("authorization")
    if header is None:
        return None
    if not header.startswith(ALGORITHM):
        raise AwsError(400, "InvalidRequest", "The authorization mechanism you have provided is not supported.")
    given = dict(re.findall(r"(\w+)=([^,\s]+)", header))
    return _signature(given, request.headers.get("x-amz-date", ""), None)


def _signature(given: dict[str, str], moment: str, expires: int | None) -> Signature:
    credential = unquote(given.get("Credential", "")).split("/")
    if len(credential) != 5 or not given.get("Signature") or not given.get("SignedHeaders"):
        raise AwsError(400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
    key_id, day, region, service, _ = credential
    return Signature(
        key_id, day, region, service, tuple(given["SignedHeaders"].split(";")), given["Signature"], moment, expires
    )


def verify(request: Request, signature: Signature, secret_of: Secret) -> None:
    """AwsError unless the request was signed with that key, is unchanged and is not too old."""
    s3 = signature.service == "s3"
    secret = secret_of(signature.key_id)
    if secret is None:
        if s3:
            raise AwsError(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
                AWSAccessKeyId=signature.key_id,
            )
        raise AwsError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    _refuse_old(signature, s3)
    if not hmac.compare_digest(_expected(request, signature, secret), signature.value):
        raise AwsError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your "
            + ("key and signing method." if s3 else "AWS Secret Access Key and signing method."),
        )
    claimed = request.headers.get("x-amz-content-sha256", "")
    if HEX.fullmatch(claimed) and claimed != hashlib.sha256(request.body).hexdigest():
        raise AwsError(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def _refuse_old(signature: Signature, s3: bool) -> None:
    try:
        signed = datetime.strptime(signature.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AwsError(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None
    age = datetime.now(timezone.utc) - signed
    if signature.expires is not None:
        if age > timedelta(seconds=signature.expires):
            raise AwsError(403, "AccessDenied", "Request has expired")
    elif abs(age) > SKEW:
        late = "The difference between the request time and the current time is too large."
        code, text = ("RequestTimeTooSkewed", late) if s3 else ("SignatureDoesNotMatch", "Signature expired")
        raise AwsError(403, code, text)


def _expected(request: Request, signature: Signature, secret: str) -> str:
    text = "\n".join(
        (ALGORITHM, signature.moment, signature.scope, hashlib.sha256(_canonical(request, signature)).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in (signature.day, signature.region, signature.service, "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _canonical(request: Request, signature: Signature) -> bytes:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed_headers
    )
    presigned = signature.expires is not None
    payload = request.headers.get("x-amz-content-sha256") or (
        "UNSIGNED-PAYLOAD" if presigned else hashlib.sha256(request.body).hexdigest()
    )
    parts = (
        request.method,
        request.raw_path or "/",
        _canonical_query(request.raw_query),
        headers,
        ";".join(signature.signed_headers),
        payload,
    )
    return "\n".join(parts).encode()


def _canonical_query(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&") if part)
    quoted = ((_quoted(name), _quoted(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(quoted) if name != "X-Amz-Signature")


def _quoted(text: str) -> str:
    return quote(unquote(text), safe="-_.~")
