"""Cloudflare's resources on the emulated API: one row each, in the paths and verbs that the official plugin uses."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from rehearsal.offline.plugins import clouds
from rehearsal.offline.plugins.clouds import InCloud, as_given
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream
from rehearsal.offline.plugins.wire import Values

_SECONDS = 60
# What the API adds to a rule, a record or a list by itself.
_COMPUTED: Values = {"id": None, "version": None, "lastUpdated": None, "ref": None, "categories": None, "logging": None}
_COMPUTED |= {"createdOn": None, "modifiedOn": None, "enabled": True, "allowInsecure": False, "commentModifiedOn": None}


def theirs(value: Any) -> Any:
    """Write names as the API does: actionParameters becomes action_parameters. Names of headers are none of ours."""
    if isinstance(value, dict):
        named = {k: v for k, v in value.items() if not k.startswith("__")}
        return {_snake(key): theirs(item) for key, item in named.items()}
    return [theirs(item) for item in value] if isinstance(value, list) else value


# Where the SDK calls a list by another name.
_SINGULAR = {"emails": "email", "pagerduties": "pagerduty"}
_PLURAL = {theirs: ours for ours, theirs in _SINGULAR.items()}


def _snake(key: str) -> str:
    if key in _SINGULAR:
        return _SINGULAR[key]
    return (
        re.sub(r"(?<!^)([A-Z])", lambda match: f"_{match[1].lower()}", key) if re.fullmatch(r"[a-z]\w*", key) else key
    )


def _camel(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), key)


def ours(value: Any) -> Any:
    """Write what the API answers as the plugin does."""
    if isinstance(value, dict):
        return {_PLURAL.get(key) or _camel(key): ours(item) for key, item in value.items()}
    return [ours(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Row:
    """Where a type lives. Without `create` it exists with its zone: it is set, and stays as it is when it goes."""

    path: str  # of one; {id} is its own
    create: str = ""  # of all of them
    set: str = "PUT"
    id: str = "{id}"
    import_: str = "{zoneId}/{id}"
    drop: bool = True
    same: tuple[str, ...] = ()  # by what a half-made one is found again
    computed: Values = field(default_factory=dict)
    means: dict[str, str] = field(default_factory=dict)  # values on the way to the one that was asked for

    def read(self, found: Any) -> Values:
        """Write an answer as the plugin does; what is any value (a setting's) stays as it is."""
        return {**ours(found or {}), **({"value": found["value"]} if "value" in (found or {}) else {})}


_ZONE = "zones/{zoneId}/"
_CHECKED: Values = {"checkRegions": None, "method": "GET", "port": None}
_ONE = {"id": "{zoneId}", "import_": "{zoneId}"}
_ROWS = {
    "DnsRecord": Row(_ZONE + "dns_records/{id}", _ZONE + "dns_records", same=("name", "type", "content", "data")),
    "Ruleset": Row(_ZONE + "rulesets/{id}", _ZONE + "rulesets", import_="zones/{zoneId}/{id}", same=("phase", "kind")),
    "Healthcheck": Row(_ZONE + "healthchecks/{id}", _ZONE + "healthchecks", same=("name",), computed=_CHECKED),
    "AuthenticatedOriginPullsCertificate": Row(
        _ZONE + "origin_tls_client_auth/{id}", _ZONE + "origin_tls_client_auth", same=("certificate",)
    ),
    "OriginCaCertificate": Row("certificates/{id}", "certificates", import_="{id}", same=("csr",)),
    "NotificationPolicy": Row(
        "accounts/{accountId}/alerting/v3/policies/{id}",
        "accounts/{accountId}/alerting/v3/policies",
        import_="{accountId}/{id}",
        same=("name",),
    ),
    "List": Row(
        "accounts/{accountId}/rules/lists/{id}",
        "accounts/{accountId}/rules/lists",
        import_="{accountId}/{id}",
        same=("name",),
    ),
    "Zone": Row("zones/{id}", "zones", "PATCH", import_="{id}", same=("name",)),
    "ZoneSetting": Row(
        _ZONE + "settings/{settingId}", set="PATCH", id="{settingId}", import_="{zoneId}/{settingId}", drop=False
    ),
    "ZoneDnssec": Row(_ZONE + "dnssec", set="PATCH", means={"pending": "active"}, **_ONE),  # type: ignore[arg-type]
    "BotManagement": Row(_ZONE + "bot_management", drop=False, **_ONE),  # type: ignore[arg-type]
    "UrlNormalizationSettings": Row(_ZONE + "url_normalization", **_ONE),  # type: ignore[arg-type]
    "TieredCache": Row(_ZONE + "cache/tiered_cache_smart_topology_enable", set="PATCH", **_ONE),  # type: ignore[arg-type]
    "ArgoTieredCaching": Row(_ZONE + "argo/tiered_caching", set="PATCH", drop=False, **_ONE),  # type: ignore[arg-type]
    "AuthenticatedOriginPullsSettings": Row(_ZONE + "origin_tls_client_auth/settings", drop=False, **_ONE),  # type: ignore[arg-type]
}
_IN_THE_PATH = ("zoneId", "accountId", "settingId")


def ask(subject: Subject, method: str, path: str, body: Any = None) -> Any:
    """Make one call and give its result; an error reads as the official plugin words it."""
    there = clouds.running(subject)
    url = f"{there.cloudflare}/{path}"
    headers = {"Authorization": f"Bearer {there.cloudflare_token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - to loopback
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read() or b"{}").get("result")
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        refused = Upstream(f'failed to make http request: {method} "{url}": {error.code} {error.reason} {text}')
        refused.code = str(error.code)
        raise refused from error
    except OSError as error:
        clouds.forget(subject)
        raise Upstream(f'failed to make http request: {method} "{url}": {error}') from error


class Resource(InCloud):
    """One type."""

    def __init__(self, row: Row) -> None:
        self.row, self.computed = row, {**_COMPUTED, **row.computed}

    def _path(self, template: str, identity: str, values: Values) -> str:
        if values.get("accountId"):
            template = (
                template.replace("zones/{zoneId}", "accounts/{accountId}") if not values.get("zoneId") else template
            )
        return template.format(**{**values, "id": identity})

    def _body(self, given: Values) -> Values:
        return {key: value for key, value in theirs(given).items() if key not in map(_snake, _IN_THE_PATH)}

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        method, path = ("POST", self.row.create) if self.row.create else (self.row.set, self.row.path)
        told = self.row.read(ask(subject, method, self._path(path, "", given), self._body(given)))
        return self.row.id.format(**{**given, **told}), told

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        path = self._path(self.row.path, identity, given)
        return self.row.read(ask(subject, self.row.set, path, self._body(given)))

    def imported(self, subject: Subject, identity: str) -> Values:
        names = [name for _, name, _, _ in Formatter().parse(self.row.import_) if name]
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.row.import_))
        found = re.fullmatch(pattern, identity)
        return {**dict.fromkeys(names, identity), **(found.groupdict() if found else {})}

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        own = state.get("id") or identity
        try:
            found = ask(subject, "GET", self._path(self.row.path, own, state))
        except Upstream as error:
            if error.code == "404":
                return None
            raise
        told = {key: value for key, value in self.row.read(found).items() if value is not None}
        told |= {key: self.row.means[told[key]] for key in ("status",) if told.get(key) in self.row.means}
        if self.row.create and told.get("deletedAt", told.get("revokedAt")):
            return None
        path = {name: state[name] for name in _IN_THE_PATH if name in state}
        return {**told, **path, "id": self.row.id.format(**{**path, "id": own})}

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        if not self.row.create:  # it exists with its zone
            return None
        every = ours(ask(subject, "GET", self._path(self.row.create, "", given) + "?per_page=50") or [])
        wanted = {name: given[name] for name in self.row.same if name in given}
        same = [each for each in every if as_given(each, wanted, self.computed).items() >= wanted.items()]
        return next((str(each["id"]) for each in same if each["id"] not in taken), None)

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        if not self.row.drop:
            return
        try:
            ask(subject, "DELETE", self._path(self.row.path, state.get("id") or identity, state))
        except Upstream as error:
            if error.code != "404":
                raise


class AddressList(Resource):
    """cloudflare.List: its items have calls of their own, which end some time later."""

    def _items(self, subject: Subject, identity: str, given: Values) -> None:
        if given.get("items") is not None:
            path = self._path(self.row.path, identity, given) + "/items"
            ask(subject, "PUT", path, theirs(given["items"]))

    def _body(self, given: Values) -> Values:
        return {key: value for key, value in super()._body(given).items() if key != "items"}

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        identity, told = super().make(subject, given)
        self._items(subject, identity, given)
        return identity, told

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        told = super().change(subject, identity, old, given)
        self._items(subject, identity, given)
        return told

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        found = super().look(subject, identity, state)
        if found is None:
            return None
        path = self._path(self.row.path, state.get("id") or identity, state) + "/items?per_page=500"
        return {**found, "items": ours(ask(subject, "GET", path) or [])}


def _token(name: str) -> str:
    return f"cloudflare:index/{name[0].lower()}{name[1:]}:{name}"


ACTORS = {_token(name): AddressList(row) if name == "List" else Resource(row) for name, row in _ROWS.items()}
