"""Calls to the emulated AWS through boto3, and what its resources have in common: names, tags, the words of errors."""

import threading
from typing import Any

from rehearsal.offline.plugins import clouds
from rehearsal.offline.plugins.clouds import InCloud
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream
from rehearsal.offline.plugins.wire import Values

_OURS = {"ID": "id", "CORSRules": "corsRules", "SSEAlgorithm": "sseAlgorithm", "KMSMasterKeyID": "kmsMasterKeyId"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}
GONE = ("NoSuch", "NotFound", "404")


_clients: dict[tuple[str, ...], Any] = {}
_lock = threading.Lock()


def client(subject: Subject, service: str, region: str | None = None) -> Any:
    import boto3  # noqa: PLC0415 - a preview pays nothing for it

    cloud = clouds.running(subject)
    key = (service, region or subject.region, cloud.aws, cloud.aws_key, cloud.aws_secret)
    with _lock:  # a client serves all threads; making one takes a while
        if key not in _clients:
            _clients[key] = boto3.client(
                service,
                region_name=key[1],
                endpoint_url=cloud.aws,
                aws_access_key_id=cloud.aws_key,
                aws_secret_access_key=cloud.aws_secret,
            )
        return _clients[key]


def ask(subject: Subject, service: str, operation: str, what: str = "", **arguments: Any) -> Values:
    """Make one call; an error reads as the official plugin words it."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    region = arguments.pop("region", None)
    try:
        return dict(getattr(client(subject, service, region), operation)(**arguments) or {})
    except ClientError as error:
        raise _worded(error, service, what) from error
    except BotoCoreError as error:
        clouds.forget(subject)
        raise Upstream(f"{what}{error}") from error


def _worded(error: Any, service: str, what: str) -> Upstream:
    meta, told = error.response.get("ResponseMetadata", {}), error.response.get("Error", {})
    request = f"https response error StatusCode: {meta.get('HTTPStatusCode')}, RequestID: {meta.get('RequestId', '')}"
    name = {"s3": "S3", "iam": "IAM"}[service]
    code, message = told.get("Code", ""), told.get("Message", "")
    answer = Upstream(f"{what}operation error {name}: {error.operation_name}, {request}, api error {code}: {message}")
    answer.code = code
    return answer


def there(subject: Subject, service: str, operation: str, **arguments: Any) -> Values | None:
    try:
        return ask(subject, service, operation, "reading: ", **arguments)
    except Upstream as error:
        if gone(error):
            return None
        raise


def gone(error: Upstream) -> bool:
    """Say whether the answer was that there is no such thing."""
    return any(word in error.code for word in GONE)


def theirs(value: Any) -> Any:
    """Write settings as the API does: daysAfterInitiation becomes DaysAfterInitiation."""
    if isinstance(value, dict):
        return {_THEIRS.get(k, k[0].upper() + k[1:]): theirs(v) for k, v in value.items() if not k.startswith("__")}
    return [theirs(item) for item in value] if isinstance(value, list) else value


def ours(value: Any) -> Any:
    """Write what the API answers as the plugin does."""
    if isinstance(value, dict):
        return {_OURS.get(key, key[0].lower() + key[1:]): ours(item) for key, item in value.items()}
    return [ours(item) for item in value] if isinstance(value, list) else value


class Tagged(InCloud):
    """What carries tags: the provider's own are added, and only there."""

    def all_tags(self, subject: Subject, given: Values) -> dict[str, str]:
        default = (subject.settings.get("defaultTags") or {}).get("tags") or {}
        return {**default, **(given.get("tags") or {})}

    def tag_list(self, subject: Subject, given: Values) -> list[Values]:
        return [{"Key": key, "Value": value} for key, value in sorted(self.all_tags(subject, given).items())]

    def tags_there(self, subject: Subject, state: Values, found: list[Values]) -> Values:
        everything = {tag["Key"]: tag["Value"] for tag in found}
        default, own = self.all_tags(subject, {}), state.get("tags") or {}
        shown = {key: value for key, value in everything.items() if key in own or default.get(key) != value}
        return {"tags": shown, "tagsAll": everything} if shown or own else {"tagsAll": everything}

    def _outputs(self, subject: Subject, identity: str, given: Values, answer: Values) -> Values:
        return {**super()._outputs(subject, identity, given, answer), "tagsAll": self.all_tags(subject, given)}


def token(module: str, name: str) -> str:
    """Give a type's full name."""
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"
