"""Bucket policies as documents. `[*]` is spelt out for the bucket and for its objects: one does not imply the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Statement = dict[str, Any]


def document(statements: Sequence[Statement]) -> str:
    """Sorted, so that the same policy is the same text in every preview."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def tls_only(bucket: str) -> Statement:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def no_overwriting(objects: str) -> Statement:
    """What makes an object must be told to refuse where there is one. The parts of an upload make none yet.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    makes_an_object = {"Bool": {"s3:ObjectCreationOperation": "true"}}
    return {
        "Sid": "NoOverwriting",
        "Effect": "Deny",
        "Action": "s3:PutObject",
        "Resource": objects,
        "Condition": {"StringNotEquals": {"s3:if-none-match": "*"}, **makes_an_object},
    }


def takes_logs_of(bucket: str, sources: Sequence[str]) -> Statement:
    """S3 itself writes access logs, and for these buckets only: anybody's bucket could name ours as its target."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"ArnEquals": {"aws:SourceArn": [f"arn:aws:s3:::{source}" for source in sorted(sources)]}},
    }


def readable_by(bucket: str, roles: Sequence[str]) -> Statement:
    """What is published for other teams: they may read it and its earlier versions, and nothing else."""
    return {
        "Sid": "PublishedToReaders",
        "Effect": "Allow",
        "Principal": {"AWS": sorted(roles)},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
