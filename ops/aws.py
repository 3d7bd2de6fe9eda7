"""AWS as the operator reaches it: their own credentials, or none, said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperatorError


def client(service: str, region: str | None = None) -> Any:
    return boto3.client(service, region_name=region)


@contextmanager
def asking_aws(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise OperatorError(f"AWS refused to {what}: {error.response['Error'].get('Message', error)}") from None
    except BotoCoreError as error:
        raise OperatorError(f"AWS could not be asked to {what}: {error}") from None
