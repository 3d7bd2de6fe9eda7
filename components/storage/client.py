"""What the application's S3 client has to know of a store that is not S3, beside the bucket's name and its key."""

from __future__ import annotations

from components.storage.config import StorageSettings


def variables(storage: StorageSettings) -> dict[str, str]:
    r2 = storage.media.r2
    if r2 is None:
        return {}
    return {
        "AWS_REGION": "auto",
        # The second is read by AWS's SDKs themselves, the first by clients that are told in code.
        "AWS_S3_ENDPOINT": r2.endpoint,
        "AWS_ENDPOINT_URL_S3": r2.endpoint,
        # Since 2025 the SDKs send checksums that not every call of R2 knows.
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }
