"""AWS's error answers: XML in S3's shape and in that of the query services."""

from __future__ import annotations

import json
import secrets
from xml.sax.saxutils import escape

from rehearsal.clouds.wire import Response

XML_SERVICES = ("s3", "iam", "sts")
XML = {"Content-Type": "application/xml"}


class AwsError(Exception):
    """A refusal with AWS's own code. `fields` are further elements of S3's answer."""

    def __init__(self, status: int, code: str, message: str, **fields: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields


def answer(service: str, error: AwsError) -> Response:
    request_id = secrets.token_hex(8).upper()
    if service not in XML_SERVICES:
        body = json.dumps({"__type": error.code, "message": error.message})
        return Response(error.status, body.encode(), {"Content-Type": "application/x-amz-json-1.1"})
    inner = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
    if service == "s3":
        inner += "".join(f"<{name}>{escape(value)}</{name}>" for name, value in error.fields.items())
        body = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        return _xml(error.status, body, {"x-amz-request-id": request_id})
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return _xml(error.status, body, {"x-amzn-RequestId": request_id})


def _xml(status: int, body: str, headers: dict[str, str]) -> Response:
    return Response(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode(), {**XML, **headers})


def denied(message: str = "Access Denied") -> AwsError:
    return AwsError(403, "AccessDenied", message)
