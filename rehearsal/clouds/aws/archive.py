"""GLACIER and DEEP_ARCHIVE: an archived object is not there until its retrieval has taken its time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from rehearsal.clouds.aws import backend, bodies
from rehearsal.clouds.aws.actions import Call, copy_source
from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.wire import Response

HOUR = 3600.0
# Upper bounds of AWS's documentation ("Archive retrieval options"), in seconds.
DURATION = {
    "GLACIER": {"Expedited": 5 * 60.0, "Standard": 5 * HOUR, "Bulk": 12 * HOUR},
    "DEEP_ARCHIVE": {"Standard": 12 * HOUR, "Bulk": 48 * HOUR},
}
DAY = 86400.0
RETRIEVAL = "x-amz-rehearsal-retrieval-seconds"
"""How long this one takes, if the rehearsal has said so."""


@dataclass(frozen=True)
class Retrieval:
    ready: float
    days: int

    @property
    def ends(self) -> float:
        """The copy goes at the midnight (UTC) after its last day."""
        return ((self.ready + self.days * DAY) // DAY + 1) * DAY


class Archive:
    """Retrievals by bucket, key and version. They come back after a restart because their calls are repeated."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._retrievals: dict[tuple[str, str, str], Retrieval] = {}

    def refuse_unreadable(self, call: Call) -> None:
        """Reading an archived object, or copying it, before it has been retrieved."""
        source = copy_source(call.request) if call.operation in ("CopyObject", "UploadPartCopy") else None
        bucket, key, version = source or (call.bucket, call.key, call.version)
        storage_class = self._storage_class(bucket, key, version)
        if storage_class is None:
            return
        self._tell_moto(bucket, key, version)
        if self._state(bucket, key, version) == "here":
            return
        if source is not None:
            raise AwsError(
                403, "ObjectNotInActiveTierError", "The source object of the COPY action is not in the active tier"
            )
        raise AwsError(
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            StorageClass=storage_class,
        )

    def restore(self, call: Call) -> Response:
        """202: on its way. 200: was here already, and stays longer."""
        storage_class = self._storage_class(call.bucket, call.key, call.version)
        if storage_class is None:
            if backend.version(call.bucket, call.key, call.version) is None:
                raise AwsError(404, "NoSuchKey", "The specified key does not exist.", Key=str(call.key))
            raise AwsError(403, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
        days, tier = self._wanted(call, storage_class)
        state = self._state(call.bucket, call.key, call.version)
        if state == "coming":
            raise AwsError(409, "RestoreAlreadyInProgress", "Object restore is already in progress")
        now = self._clock.seconds()
        duration = float(call.request.headers.get(RETRIEVAL) or DURATION[storage_class][tier])
        ready = now if state == "here" else now + duration
        self._retrievals[self._place(call.bucket, call.key, call.version)] = Retrieval(ready, days)
        return Response(200 if state == "here" else 202)

    def _wanted(self, call: Call, storage_class: str) -> tuple[int, str]:
        body = bodies.read(call.request.body, "RestoreRequest")
        days = bodies.integer(body, "Days")
        tier = bodies.text(body, "GlacierJobParameters/Tier") or bodies.text(body, "Tier") or "Standard"
        if days is None or days < 1:
            raise bodies.malformed()
        if tier not in DURATION[storage_class]:
            allowed = ", ".join(DURATION[storage_class])
            raise AwsError(
                400, "InvalidArgument", f"Retrieval option {tier} is not available for {storage_class}: {allowed}"
            )
        return days, tier

    def header(self, call: Call) -> dict[str, str]:
        """What GET and HEAD say about the retrieval."""
        state = self._state(call.bucket, call.key, call.version)
        if state == "coming":
            return {"x-amz-restore": 'ongoing-request="true"'}
        if state == "here":
            ends = self._retrievals[self._place(call.bucket, call.key, call.version)].ends
            day = datetime.datetime.fromtimestamp(ends, datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
            return {"x-amz-restore": f'ongoing-request="false", expiry-date="{day}"'}
        return {}

    def _tell_moto(self, bucket: str | None, key: str | None, version: str | None) -> None:
        """Moto has a notion of its own of what may be read; ours decides."""
        found, here = backend.version(bucket, key, version), self._state(bucket, key, version) == "here"
        found.set_expiry(self._clock.now().replace(tzinfo=None) if here else None)  # type: ignore[union-attr]
        found.status = "RESTORED" if here else None  # type: ignore[union-attr]

    def _state(self, bucket: str | None, key: str | None, version: str | None) -> str:
        found = self._retrievals.get(self._place(bucket, key, version))
        now = self._clock.seconds()
        if found is None or found.ends <= now:
            return "away"
        return "here" if found.ready <= now else "coming"

    def _place(self, bucket: str | None, key: str | None, version: str | None) -> tuple[str, str, str]:
        found = backend.version(bucket, key, version)
        return str(bucket), str(key), str(found.version_id) if found is not None else ""

    def _storage_class(self, bucket: str | None, key: str | None, version: str | None) -> str | None:
        found = backend.version(bucket, key, version)
        if found is None or not backend.is_object(found) or found.storage_class not in DURATION:
            return None
        return str(found.storage_class)
