"""How old each credential of a stack is and when it is due, from the state and the settings; never a value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from components.host.config import HostSettings
from components.settings import SecretSpec, StackSettings, required_secrets
from ops.credentials.known import Kind, Resource, name_of, rotated

GENERATED, GIVEN, AWS, SSH, CERTIFICATE = "generated", "secret configuration", "AWS key", "SSH", "certificate"
OFFLINE = "key kept offline"
OVERDUE, SOON, FINE, MISSING, UNKNOWN = "overdue", "due soon", "fine", "missing", "unknown"
CERTIFICATES = ("tls:index/selfSignedCert:SelfSignedCert", "tls:index/locallySignedCert:LocallySignedCert")


@dataclass(frozen=True)
class Credential:
    name: str
    source: str
    made: date | None
    due: date | None
    note: str = ""
    missing: bool = False

    def age(self, today: date) -> int | None:
        return None if self.made is None else (today - self.made).days

    def state(self, today: date, warn_before: int) -> str:
        if self.missing:
            return MISSING
        if self.due is None:
            return UNKNOWN
        if self.due < today:
            return OVERDUE
        return SOON if self.due <= today + timedelta(days=warn_before) else FINE


def credentials(
    settings: StackSettings, resources: Sequence[Resource], configured: Collection[str]
) -> list[Credential]:
    """`configured` are the secrets that the stack file has."""
    return [
        *_made(settings, resources),
        *_given(settings, configured),
        *_keys(settings),
        *_certificates(resources),
    ]


def _made(settings: StackSettings, resources: Sequence[Resource]) -> Iterator[Credential]:
    """By the program: the state knows the day."""
    ages = _section(settings)
    allowed = {Kind.LOGIN: ages.password_age, Kind.SIGNING: ages.jwt_age, Kind.AWS: ages.aws_key_age}
    for each in rotated(settings):
        source = AWS if each.kind is Kind.AWS else GENERATED
        resource = each.found(resources).get(each.generation)
        if resource is None:
            yield Credential(each.name, source, None, None, "not made yet: `./infra up` does it")
            continue
        made = day_of(resource)
        note = "" if each.complete(resources) else f"being rotated: `./infra rotate {each.name}` goes on"
        yield Credential(each.name, source, made, _due(made, allowed[each.kind]), note)


def _given(settings: StackSettings, configured: Collection[str]) -> Iterator[Credential]:
    for spec in required_secrets(type(settings), settings):
        if f"{settings.PROJECT}:{spec.key}" in configured:
            yield _told(settings, spec.key, GIVEN)
        else:
            yield Credential(spec.key, GIVEN, None, None, _how(settings, spec), missing=True)


def _how(settings: StackSettings, spec: SecretSpec) -> str:
    return f"set it with: {spec.command(settings.PROJECT)}"


def _keys(settings: StackSettings) -> Iterator[Credential]:
    """Pairs whose private half is somebody's own."""
    given: Any = settings
    host = getattr(given, "host", None)
    if isinstance(host, HostSettings):
        for number, _ in enumerate(host.deploy.keys, 1):
            yield _told(settings, "deploy_key" if number == 1 else f"deploy_key_{number}", SSH)
    if getattr(given.backup, "encrypt_to", None):
        yield _told(settings, "backup_encryption_key", OFFLINE)
    escrow = getattr(given, "escrow", None)
    if escrow is not None and escrow.recipients:
        yield _told(settings, "escrow_key", OFFLINE)


def _told(settings: StackSettings, name: str, source: str) -> Credential:
    """Nobody but the one who made it knows when that was."""
    ages = _section(settings)
    day = ages.since.get(name)
    if day is None:
        note = f"unknown age: set {settings.PROJECT}:credentials.since.{name} to the day that it was made"
        return Credential(name, source, None, None, note)
    made = date.fromisoformat(day)
    return Credential(name, source, made, _due(made, ages.given_age))


def _certificates(resources: Sequence[Resource]) -> Iterator[Credential]:
    for each in resources:
        if each["type"] in CERTIFICATES:
            ends = (each.get("outputs") or {}).get("validityEndTime")
            due = _moment(ends).date() if isinstance(ends, str) else None
            yield Credential(name_of(each).replace("-", "_"), CERTIFICATE, day_of(each), due, "`./infra up` renews it")


def day_of(resource: Resource) -> date | None:
    """AWS knows it of its keys, also of one that was imported; of everything else the engine has noted it."""
    told: Mapping[str, Any] = resource.get("outputs") or {}
    moment = told.get("createDate") or resource.get("created")
    return _moment(moment).date() if isinstance(moment, str) else None


def _moment(text: str) -> datetime:
    """Go writes nanoseconds, which Python 3.10 does not read."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def _due(made: date | None, days: int) -> date | None:
    return None if made is None else made + timedelta(days=days)


def _section(settings: StackSettings) -> Any:
    given: Any = settings
    return given.credentials
