"""What a state still says when its server is gone, and what a drill may not know of it. Pure."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

Resource = dict[str, Any]
# Made over SSH or by the server's Docker engine: they went with it.
ON_THE_SERVER = ("command:", "docker:", "pulumi:providers:docker")
KEY = "aws:iam/accessKey:AccessKey"
DUMPS, UPLOADS = "storage-dumps-key", "storage-uploads-key"
# Of the shape that providers and their stand-ins accept, or they would not even begin.
NOBODYS = "rehearsal-of-a-way-back-without-any-keys"
# Without it no image comes; whoever else has given a secret shall not hear of a drill.
NEEDED_IN_A_DRILL = ("registry_token",)


def without_server(state: Mapping[str, Any]) -> dict[str, Any]:
    """The same export without what was on the server, so that nothing tries to change or delete it there."""
    return without(state, {each["urn"] for each in resources(state) if each["type"].startswith(ON_THE_SERVER)})


def without(state: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    kept = [each for each in resources(state) if each["urn"] not in gone]
    deployment = {**state["deployment"], "resources": [detached(each, gone) for each in kept]}
    deployment.pop("pending_operations", None)
    return {**state, "deployment": deployment}


def resources(state: Mapping[str, Any]) -> list[Resource]:
    return list((state.get("deployment") or {}).get("resources") or [])


def detached(resource: Resource, gone: set[str]) -> Resource:
    """The engine refuses a state in which somebody depends on a thing that is not there."""
    result = {**resource}
    if "dependencies" in result:
        result["dependencies"] = staying(result["dependencies"], gone)
    if "propertyDependencies" in result:
        given = result["propertyDependencies"] or {}
        result["propertyDependencies"] = {name: staying(urns, gone) for name, urns in given.items()}
    if result.get("deletedWith") in gone:
        del result["deletedWith"]
    return result


def staying(urns: Iterable[str] | None, gone: set[str]) -> list[str]:
    return [urn for urn in urns or () if urn not in gone]


def key_of(state: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    """Id and secret of the newest generation of a bucket's key, as the state has it."""
    found = [each for each in keys(state, name) if not each.get("delete")]
    if not found:
        return None
    outputs = found[-1].get("outputs") or {}
    return str(outputs.get("id") or found[-1].get("id")), str(readable(outputs.get("secret")))


def keys(state: Mapping[str, Any], name: str) -> list[Resource]:
    return [each for each in resources(state) if each["type"] == KEY and name_of(each).startswith(name)]


def name_of(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]


def readable(value: Any) -> Any:
    """An export with its secrets shown wraps each of them."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value


def cut_off(state: Mapping[str, Any]) -> dict[str, Any]:
    """For a drill beside the living: no key to the uploads of real people."""
    result = copy.deepcopy(dict(state))
    for each in keys(result, UPLOADS):
        outputs = each.get("outputs") or {}
        for name in ("id", "secret", "sesSmtpPasswordV4"):
            if name in outputs:
                outputs[name] = masked(outputs[name])
    return result


def masked(value: Any) -> Any:
    return {**value, "plaintext": json.dumps(NOBODYS)} if isinstance(value, dict) and "plaintext" in value else NOBODYS


def harmless(secrets: Mapping[str, str]) -> dict[str, str]:
    """Nobody gets a mail from a drill, nobody's log an entry, nobody's account a call."""
    return {name: value if name.rpartition(":")[2] in NEEDED_IN_A_DRILL else NOBODYS for name, value in secrets.items()}
