"""`python -m ops.edge.live STACKFILE`: the zone as it is, beside the zone that the stack would make of it.

Reads only, with the token in CLOUDFLARE_API_TOKEN. Says where the declared plan or name is not the zone's, which
records are nobody's business here, and which objects exist already: those are imported, not fought. `--imports` prints
the file for `pulumi import --file`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.edge.config import EdgeSettings
from components.edge.dns import Entry, records
from components.edge.rules.zone import rulesets
from components.edge.zone_settings import zone_settings
from components.settings import SettingsError
from components.site import SiteSettings
from components.values import ZoneRole
from ops.edge.export import stack_edge, system_of

API = "https://api.cloudflare.com/client/v4"
PAGE = 100
ONE_OF_A_ZONE = {
    "url-normalization": "urlNormalizationSettings:UrlNormalizationSettings",
    "bots": "botManagement:BotManagement",
    "tiers": "argoTieredCaching:ArgoTieredCaching",
    "smart-tiers": "tieredCache:TieredCache",
}
ADDRESSES = ("A", "AAAA", "CNAME")
Ask = Callable[[str], Any]
"""A path below the API to the `result` of its answer."""


class LiveError(Exception):
    """Why the zone could not be read, in one sentence."""


@dataclass(frozen=True)
class Live:
    """What Cloudflare says of a zone."""

    name: str
    plan: str
    records: list[dict[str, Any]]
    rulesets: dict[str, str]
    """Phase to id, of the zone's own rulesets."""


@dataclass(frozen=True)
class Wanted:
    """What a stack would have of it."""

    settings: EdgeSettings
    site: SiteSettings
    ipv4: str | None = None
    ipv6: str | None = None

    @property
    def records(self) -> list[Entry]:
        return records(self.settings, self.site, self.ipv4, self.ipv6)


def read(ask: Ask, zone_id: str) -> Live:
    zone = ask(f"/zones/{zone_id}")
    own = [each for each in ask(f"/zones/{zone_id}/rulesets") if each.get("kind") == "zone"]
    found: list[dict[str, Any]] = []
    while len(page := ask(f"/zones/{zone_id}/dns_records?per_page={PAGE}&page={len(found) // PAGE + 1}")) == PAGE:
        found += page
    plan = str(zone.get("plan", {}).get("legacy_id", "")).lower()
    return Live(zone["name"], plan, found + page, {each["phase"]: each["id"] for each in own})


def disagreements(wanted: Wanted, live: Live) -> Iterator[str]:
    """What the stack file says of the zone and is not so."""
    settings = wanted.settings
    if live.name != settings.zone:
        yield f"edge.zone_id: is the id of {live.name}, but edge.zone is {settings.zone}"
    if live.plan != settings.plan.value:
        yield f"edge.plan: given {settings.plan.value}, but the account pays for {live.plan or 'an unknown plan'}"


def foreign_records(wanted: Wanted, live: Live) -> list[dict[str, Any]]:
    """Records of names or types that this stack does not have: they are left alone."""
    ours = {(entry.name, entry.type) for entry in wanted.records}
    contested = contested_records(wanted, live)
    return [each for each in live.records if (each["name"], each["type"]) not in ours and each not in contested]


def contested_records(wanted: Wanted, live: Live) -> list[dict[str, Any]]:
    """Addresses and aliases of names that are ours, leading elsewhere: beside ours, visitors would get either."""
    names = {entry.name for entry in wanted.records if entry.type in ADDRESSES}
    return [
        record
        for record in live.records
        if record["type"] in ADDRESSES
        and record["name"] in names
        and not any(is_that(entry, record) for entry in wanted.records)
    ]


def imports(name: str, wanted: Wanted, live: Live) -> list[dict[str, str]]:
    """What exists already, as `pulumi import --file` takes it, for the component called `name`."""
    zone = wanted.settings.zone_id
    found = [
        _import("dnsRecord:DnsRecord", f"{name}-{entry.role}", f"{zone}/{record['id']}")
        for entry in wanted.records
        for record in live.records
        if is_that(entry, record)
    ]
    if wanted.settings.role is ZoneRole.TENANT:
        return found
    phases = rulesets(wanted.settings, wanted.site)
    found += [
        _import("ruleset:Ruleset", f"{name}-{phase.replace('_', '-')}", f"zones/{zone}/{live.rulesets[phase]}")
        for phase in phases
        if phase in live.rulesets
    ]
    # A zone has every setting from its first day.
    found += [
        _import("zoneSetting:ZoneSetting", f"{name}-{setting.replace('_', '-')}", f"{zone}/{setting}")
        for setting in zone_settings(wanted.settings, wanted.site)
    ]
    return found + [_import(kind, f"{name}-{role}", zone) for role, kind in ONE_OF_A_ZONE.items()]


def import_file(found: list[dict[str, str]], project: str, stack: str, name: str = "edge") -> dict[str, Any]:
    """With the component itself, which is nowhere in Cloudflare but above everything in the state.

    The provider has to be in the state first: pulumi up --target '**pulumi:providers:cloudflare**'.
    """
    component = {"type": "infra:edge:CloudflareEdge", "name": name, "component": True}
    provider = f"urn:pulumi:{stack}::{project}::pulumi:providers:cloudflare::cloudflare"
    children = [{**each, "parent": name, "provider": "cloudflare"} for each in found]
    return {"nameTable": {"cloudflare": provider}, "resources": [component, *children]}


def _import(kind: str, name: str, identity: str) -> dict[str, str]:
    return {"type": f"cloudflare:index/{kind}", "name": name, "id": identity}


def is_that(entry: Entry, record: Mapping[str, Any]) -> bool:
    if (entry.name, entry.type) != (record["name"], record["type"]):
        return False
    if entry.data is not None:
        given = record.get("data") or {}
        return all(given.get(key) == value for key, value in entry.data.items())
    return str(entry.content).strip('"') == str(record.get("content")).strip('"')


def client(token: str, base: str = API) -> Ask:
    """Asks the API. The token goes into a header and nowhere else."""
    if not base.startswith(("https://", "http://127.0.0.1:")):
        raise LiveError(f"CLOUDFLARE_BASE_URL: {base} is not https: the token would travel in the clear")

    def ask(path: str) -> Any:
        request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (https or loopback, see above)
                return json.load(answer)["result"]
        except urllib.error.HTTPError as error:
            raise LiveError(f"Cloudflare answers {error.code} to {path}: {_reason(error)}") from None
        except (OSError, ValueError, KeyError) as error:
            raise LiveError(f"Cloudflare could not be asked for {path}: {error}") from None

    return ask


def _reason(error: urllib.error.HTTPError) -> str:
    if error.code in (401, 403):
        return "the token is wrong, or lacks the permission to read this zone"
    try:
        return "; ".join(str(each["message"]) for each in json.load(error)["errors"])
    except (ValueError, KeyError, TypeError):
        return error.reason


def report(wanted: Wanted, live: Live) -> Iterator[str]:
    yield from disagreements(wanted, live)
    for record in contested_records(wanted, live):
        yield f"in the way: {record['type']} {record['name']} {record.get('content')}: import it or remove it by hand"
    for record in foreign_records(wanted, live):
        yield f"left alone: {record['type']} {record['name']} {record.get('content')}"
    foreign_rules = set(live.rulesets) - set(rulesets(wanted.settings, wanted.site))
    if wanted.settings.role is ZoneRole.OWNER:
        yield from (f"left alone: ruleset of the phase {phase}" for phase in sorted(foreign_rules))
    yield f"exists already: {len(imports('edge', wanted, live))} objects to import"


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("stackfile", type=Path)
    arguments.add_argument("--imports", action="store_true", help="print the file for pulumi import instead")
    given = arguments.parse_args()
    token = os.environ.get("CLOUDFLARE_API_TOKEN")
    if not token:
        raise SystemExit("CLOUDFLARE_API_TOKEN is not set: a token that may read the zone and its DNS is needed.")
    try:
        wanted = Wanted(*stack_edge(given.stackfile))
        live = read(client(token, os.environ.get("CLOUDFLARE_BASE_URL", API)), wanted.settings.zone_id)
    except (LiveError, SettingsError) as error:
        raise SystemExit(str(error)) from None
    if given.imports:
        project, stack = system_of(given.stackfile), given.stackfile.name.removeprefix("Pulumi.").removesuffix(".yaml")
        json.dump(import_file(imports("edge", wanted, live), project, stack), sys.stdout, indent=2)
        return
    print(*report(wanted, live), sep="\n")
    raise SystemExit(1 if any(disagreements(wanted, live)) else 0)


if __name__ == "__main__":
    main()
