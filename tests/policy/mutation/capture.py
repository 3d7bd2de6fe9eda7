"""Every resource that a program declares, as the engine gets it: inputs, which of them are secret, and options.

The program runs under mocks in a process of its own, from its committed stack file with stand-ins for its secrets:

    python -m tests.policy.mutation.capture neurmatic production    # JSON on standard output
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[3]
# Every service of production, although nothing has been released yet.
DIGEST = "sha256:" + "0" * 64
PRINTED = ("stdout", "stderr")
ROOT_TYPE = "pulumi:pulumi:Stack"
RELEASE = {"version": "0.0.0", **dict.fromkeys(("backend", "frontend", "postgres", "redis", "nginx"), DIGEST)}


def capture(system: str, stack: str) -> list[dict[str, Any]]:
    """The resources of one committed stack, in the order in which they are declared."""
    command = [sys.executable, "-m", "tests.policy.mutation.capture", system, stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{system} {stack} could not be run under mocks:\n{done.stderr[-3000:]}")
    return list(json.loads(done.stdout))


def configuration(system: str, stack: str) -> tuple[dict[str, str], list[str]]:
    import yaml  # noqa: PLC0415 (the parent process needs none of it)

    from ops.systems import secrets_of  # noqa: PLC0415
    from ops.target import PROJECTS  # noqa: PLC0415
    from rehearsal.stackfile import stand_in  # noqa: PLC0415

    given = yaml.safe_load((PROJECTS[system] / f"Pulumi.{stack}.yaml").read_text())["config"]
    if f"{system}:containers" in given:
        given[f"{system}:containers"].setdefault("release", RELEASE)
    plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    secrets = secrets_of(system)
    return {**plain, **{key: stand_in(key) for key in secrets}}, secrets


def run(system: str, stack: str) -> list[dict[str, Any]]:
    from pulumi.runtime import config, mocks, test  # noqa: PLC0415

    from ops.target import PROJECTS  # noqa: PLC0415

    found: list[dict[str, Any]] = []
    # Says that addresses which are not known yet may be stand-ins (docs/decisions/0002).
    os.environ["INFRA_REHEARSAL"] = "mutants"
    asyncio.set_event_loop(asyncio.new_event_loop())
    config.set_all_config(*configuration(system, stack))
    # The monitor answers by itself: there is nothing to mock.
    monitor = _monitor(found, f"urn:pulumi:{stack}::{system}::")
    mocks.set_mocks(cast(Any, None), project=system, stack=stack, preview=True, monitor=monitor)

    def program() -> None:
        sys.path.insert(0, str(PROJECTS[system]))
        runpy.run_path(str(PROJECTS[system] / "__main__.py"), run_name="__main__")

    cast(Any, test)(program)()
    return sorted(found, key=lambda each: str(each["urn"]))


def _monitor(found: list[dict[str, Any]], stack: str) -> Any:
    from pulumi.runtime import mocks, rpc  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2, resource_pb2  # noqa: PLC0415
    from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await  # noqa: PLC0415

    class Monitor(mocks.MockMonitor):
        def make_urn(self, parent: str, type_: str, name: str) -> str:
            above = parent.split("::")[2] if parent else ROOT_TYPE
            return f"{stack}{type_ if above == ROOT_TYPE else f'{above}${type_}'}::{name}"

        def RegisterResource(self, request: Any) -> Any:  # noqa: N802
            urn = self.make_urn(request.parent, request.type, request.name)
            if request.type == ROOT_TYPE:
                return resource_pb2.RegisterResourceResponse(urn=urn)
            cast(Any, _ensure_event_loop)()
            inputs, secrets = unwrapped(rpc.deserialize_properties(request.object, keep_unknowns=True))
            if request.custom:
                found.append(_described(request, urn, inputs, secrets))
            identity, state = outputs(request.type, request.name, inputs) if request.custom else ("", inputs)
            answer = _sync_await(rpc.serialize_properties(state, {}))
            return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=answer)

        def Invoke(self, request: Any) -> Any:  # noqa: N802
            if request.tok == "pulumi:pulumi:readStackOutputs":
                # Nothing stands before the first `up`.
                return provider_pb2.InvokeResponse()
            raise AssertionError(f"the program asked a provider: {request.tok}")

    return Monitor(cast(Any, None))


def _described(request: Any, urn: str, inputs: dict[str, Any], secrets: list[str]) -> dict[str, Any]:
    return {
        "type": request.type,
        "name": request.name,
        "urn": urn,
        "parent": request.parent,
        "inputs": inputs,
        "secrets": secrets,
        "protect": request.protect,
        "retain": request.retainOnDelete,
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "secretOutputs": list(request.additionalSecretOutputs),
        "ignoreChanges": list(request.ignoreChanges),
        "sources": {name: sorted(found.urns) for name, found in sorted(request.propertyDependencies.items())},
    }


def unwrapped(value: Any) -> tuple[Any, list[str]]:
    """The value without the wrapping of secrets, and the paths at which there was one."""
    from pulumi.output import Unknown  # noqa: PLC0415
    from pulumi_policy.proxy import UNKNOWN_STRING_VALUE  # noqa: PLC0415

    secrets: list[str] = []

    def walk(each: Any, path: tuple[str, ...]) -> Any:
        if isinstance(each, Unknown):
            return UNKNOWN_STRING_VALUE
        if _is_secret(each):
            secrets.append(".".join(path))
            # The SDK takes an unknown that is secret for nothing at all.
            return UNKNOWN_STRING_VALUE if each["value"] is None else walk(each["value"], path)
        if isinstance(each, dict):
            return {key: walk(inner, (*path, key)) for key, inner in each.items()}
        if isinstance(each, list):
            return [walk(inner, (*path, str(index))) for index, inner in enumerate(each)]
        return each

    return walk(value, ()), secrets


def _is_secret(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.get("4dabf18193072939515e22adb298388d") == "1b47061264138c4ac30d75fd1eb44270"
    )


def outputs(token: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the cloud would add, always the same: of each output's kind, or as the stand-ins' table has it."""
    from rehearsal.offline.plugins.behaviour import RULES  # noqa: PLC0415
    from tests.policy.mutation.sdk import resource_type  # noqa: PLC0415

    rules = RULES.get(token)
    values = _Stable(token, name, {"region": "eu-west-1", **inputs})
    identity = rules.id.format_map(values) if rules else f"{name}-id"
    values["id"] = identity
    empty = {"int": 0, "float": 0.0, "bool": False, "list": [], "map": {}}
    known_type = resource_type(token)
    # What a program could have given and did not is not there, unless the cloud always says it.
    added = ((key, kind) for key, (optional, kind) in known_type["outputs"].items() if not optional)
    # What a command will print nobody can make up: it stays unknown, as in a real preview.
    made = {key: empty.get(kind, f"{name}-{key}") for key, kind in added if key not in PRINTED}
    known = dict(rules.computed) if rules else {}
    filled = {key: value.format_map(values) if isinstance(value, str) else value for key, value in known.items()}
    return identity, {**made, **filled, **inputs}


class _Stable(dict[str, Any]):
    """Fills the table's templates without chance."""

    def __init__(self, token: str, name: str, known: dict[str, Any]) -> None:
        super().__init__(known)
        self._digits = hashlib.sha256(f"{token} {name}".encode()).hexdigest()

    def __missing__(self, key: str) -> str:
        if key[:3].lower() == "hex":
            return self._digits[: int(key[3:])]
        return {"account": "000000000000", "path": "/", "now": "2026-01-01T00:00:00Z"}.get(key, "")


if __name__ == "__main__":
    json.dump(run(*sys.argv[1:3]), sys.stdout)
