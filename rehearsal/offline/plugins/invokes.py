"""The data sources that the components use."""

import difflib
import json
from collections.abc import Callable
from typing import Any

from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.schema import Schema
from rehearsal.offline.plugins.session import ACCOUNT, Session
from rehearsal.offline.plugins.wire import Values, plain

# Cloudflare's published ranges, as of 2026-11.
_V4 = (
    "173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20"
    " 188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13"
    " 131.0.72.0/22"
)
_V6 = "2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29 2c0f:f248::/32"


def invoke(schema: Schema, session: Session, settings: Values, token: str, args: Values) -> Any:
    """Answer one data source."""
    known = schema.arguments(token)
    for name in args:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise Refusal(f"{token}: {name} is not an argument.{f' Did you mean {near[0]}?' if near else ''}")
    if token not in _ANSWERS:
        raise Refusal(f"{token} is not emulated in a rehearsal: known are {', '.join(sorted(_ANSWERS))}.")
    return _ANSWERS[token](plain(args), session, settings)


def _identity(args: Values, session: Session, settings: Values) -> Values:
    arn = f"arn:aws:iam::{ACCOUNT}:user/rehearsal"
    return {"accountId": ACCOUNT, "arn": arn, "id": ACCOUNT, "userId": "AIDAREHEARSAL"}


def _region(args: Values, session: Session, settings: Values) -> Values:
    region = args.get("region") or settings.get("region") or "us-east-1"
    return {"id": region, "name": region, "region": region, "endpoint": f"ec2.{region}.amazonaws.com"}


def _zone(args: Values, session: Session, settings: Values) -> Values:
    identity = args.get("zoneId") or args.get("filter", {}).get("name", "")
    zones = {key: zone["name"] for key, zone in session.marker.get("zones", {}).items()}
    name = zones.get(identity, identity)
    identity = next((key for key, value in zones.items() if value == name), "")
    if not identity:
        known = ", ".join(zones.values()) or "none"
        raise Refusal(f"This rehearsal has no zone {name!r}: install() is given the zones that exist (now: {known}).")
    return {"id": identity, "zoneId": identity, "name": name, "status": "active", "type": "full", "paused": False}


def _ranges(args: Values, session: Session, settings: Values) -> Values:
    return {"id": "cloudflare", "ipv4Cidrs": _V4.split(), "ipv6Cidrs": _V6.split(), "etag": "", "jdcloudCidrs": []}


def _document(args: Values, session: Session, settings: Values) -> Values:
    document: Values = {"Version": args.get("version", "2012-10-17")}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    statements = [_statement(statement) for statement in args.get("statements", [])]
    for source in args.get("sourcePolicyDocuments", []):
        statements = _merge(json.loads(source).get("Statement", []), statements)
    for override in args.get("overridePolicyDocuments", []):
        statements = _merge(statements, json.loads(override).get("Statement", []))
    document["Statement"] = statements
    small = json.dumps(document, separators=(",", ":"))
    return {**args, "id": str(hash(small)), "json": json.dumps(document, indent=2), "minifiedJson": small}


def _merge(base: list[Any], over: list[Any]) -> list[Any]:
    """Statements with the same sid replace one another."""
    sids = {item["Sid"]: item for item in over if item.get("Sid")}
    merged = [sids.pop(item.get("Sid", ""), item) for item in base]
    return merged + [item for item in over if not item.get("Sid") or item["Sid"] in sids]


def _statement(given: Values) -> Values:
    written = {"Sid": given.get("sid"), "Effect": given.get("effect", "Allow")}
    for key in ("actions", "notActions", "resources", "notResources"):
        written[f"{key[0].upper()}{key[1:-1]}"] = _one_or_many(given.get(key, []))
    for key in ("principals", "notPrincipals"):
        written[f"{key[0].upper()}{key[1:-1]}"] = _principals(given.get(key, []))
    conditions: dict[str, Values] = {}
    for item in given.get("conditions", []):
        conditions.setdefault(item["test"], {})[item["variable"]] = _one_or_many(item["values"], keep_order=True)
    written["Condition"] = conditions
    return {key: value for key, value in written.items() if value}


def _one_or_many(values: list[str], keep_order: bool = False) -> Any:
    if len(values) == 1:
        return values[0]
    return values if keep_order else sorted(values, reverse=True)


def _principals(items: list[Values]) -> Any:
    if any(item["type"] == "*" for item in items):
        return "*"
    return {item["type"]: _one_or_many(item["identifiers"]) for item in items}


_ANSWERS: dict[str, Callable[..., Values]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": lambda *_: {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:iam/getPolicyDocument:getPolicyDocument": _document,
    "cloudflare:index/getZone:getZone": _zone,
    "cloudflare:index/getIpRanges:getIpRanges": _ranges,
}
