"""From the engine's event stream (`pulumi preview --json`, streaming) to what becomes of each resource."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ops.review.report import Change, Difference, Violation

STACK = "pulumi:pulumi:Stack"
# What the pack says of itself; the report has its own summary and its own list of what was not judged.
COVERAGE, SUMMARY = "coverage", "pack-summary"
REPLACING = {"replace", "create-replacement", "delete-replaced"}
SHORT = 80

# What is gone for good when one of these is deleted or made anew.
HOLDS_DATA = {
    "aws:s3/bucket:Bucket": "every object in the bucket",
    "aws:s3/bucketV2:BucketV2": "every object in the bucket",
    "docker:index/volume:Volume": "every file in the volume",
    "random:index/randomPassword:RandomPassword": "the password that services use now",
    "random:index/randomId:RandomId": "the identifier that services use now",
    "tls:index/privateKey:PrivateKey": "the key that is in use now",
}
# What users notice when one of these is deleted, or deleted before its replacement is there.
SERVES = {
    "docker:index/container:Container": "the container stops before the next one runs",
    "docker:index/network:Network": "every container of the network is cut off",
    "cloudflare:index/dnsRecord:DnsRecord": "the name leads nowhere until the new record is known",
}


@dataclass
class Seen:
    """The events of one resource, put together."""

    metadata: dict[str, Any]
    ops: list[str] = field(default_factory=list)


@dataclass
class Preview:
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    violations: list[Violation] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)


def parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:
                # The engine was ended in the middle of a line.
                continue


def understand(events: Iterable[dict[str, Any]]) -> Preview:
    preview = Preview()
    seen: dict[str, Seen] = {}
    for event in events:
        if "resourcePreEvent" in event:
            _note(seen, event["resourcePreEvent"]["metadata"])
        elif "policyEvent" in event:
            _policy(preview, event["policyEvent"])
        elif "diagnosticEvent" in event:
            _diagnostic(preview, event["diagnosticEvent"])
    for each in seen.values():
        change = change_of(each)
        if change is None:
            preview.unchanged += 1
        else:
            preview.changes.append(change)
    return preview


def _note(seen: dict[str, Seen], metadata: dict[str, Any]) -> None:
    if metadata["type"] == STACK:
        return
    known = seen.setdefault(metadata["urn"], Seen(metadata))
    known.ops.append(metadata["op"])
    if metadata["op"] == "replace" or metadata.get("detailedDiff"):
        known.metadata = metadata


def _policy(preview: Preview, event: dict[str, Any]) -> None:
    rule, message = event["policyName"], _uncoloured(event["message"]).strip()
    resource = str(event.get("resourceUrn", "")).rpartition("::")[2]
    if rule == COVERAGE:
        preview.unjudged.append(f"{resource}: {message.splitlines()[-1].strip()}" if resource else message)
    elif rule != SUMMARY:
        stops = event["enforcementLevel"] == "mandatory"
        preview.violations.append(Violation(rule, resource, message[:4_000], stops))


def _diagnostic(preview: Preview, event: dict[str, Any]) -> None:
    text = _uncoloured(event.get("message", "")).strip()[:4_000]
    if event["severity"] == "error" and text and text not in preview.errors:
        preview.errors.append(text)
    elif event["severity"] in ("warning", "info") and text:
        preview.says.append(text)


def _uncoloured(text: str) -> str:
    """Without the engine's marks for colours, <{%reset%}>, and without terminal codes."""
    return re.sub(r"<\{%.*?%\}>|\x1b\[[0-9;]*m", "", text)


def change_of(seen: Seen) -> Change | None:
    metadata, ops = seen.metadata, set(seen.ops)
    op = _op(metadata, ops)
    if op is None:
        return None
    type_, name = metadata["type"], metadata["urn"].rpartition("::")[2]
    loses = HOLDS_DATA.get(type_, "") if op in ("delete", "replace") else ""
    differences = list(_differences(metadata)) if op in ("update", "replace") else []
    return Change(op, name, type_, component_of(metadata["urn"]), differences, loses, _outage(type_, op, seen.ops))


def _op(metadata: dict[str, Any], ops: set[str]) -> str | None:
    if ops & REPLACING:
        return "replace"
    for op in ("delete", "create", "update"):
        if op in ops:
            return op
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    return "unprotect" if old.get("protect") and not new.get("protect") else None


def _outage(type_: str, op: str, ops: list[str]) -> str:
    what = SERVES.get(type_, "")
    if op == "delete":
        return what and "it is no longer there"
    if op != "replace":
        return ""
    first = [each for each in ops if each in ("create-replacement", "delete-replaced")]
    return what if first[:1] == ["delete-replaced"] else ""


def component_of(urn: str) -> str:
    """The outermost component that a resource belongs to."""
    chain = urn.split("::")[2].split("$")
    return chain[0].rpartition(":")[2] if len(chain) > 1 else "the stack itself"


def _differences(metadata: dict[str, Any]) -> Iterator[Difference]:
    old, new = (metadata.get("old") or {}).get("inputs", {}), (metadata.get("new") or {}).get("inputs", {})
    for path in metadata.get("detailedDiff") or metadata.get("diffs") or ():
        yield Difference(path[:SHORT], shown(at(old, path)), shown(at(new, path)))


def at(value: Any, path: str) -> Any:
    """The value at `a.b[0]["c.d"]`; None where there is none."""
    for index, quoted, name in re.findall(r'\[(\d+)\]|\["([^"]*)"\]|([^.\[\]]+)', path):
        if isinstance(value, dict):
            value = value.get(quoted or name or index)
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def shown(value: Any) -> str:
    """Short and on one line; the engine has already put [secret] where one stood."""
    if value is None:
        return "absent"
    text = value if isinstance(value, str) else json.dumps(value)
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 3]}..."
