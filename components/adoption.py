"""What exists already is taken into the state as it is; the next plan then shows the difference.

`./infra adopt` finds out what there is and runs the program with the list. Nothing else sets the variable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi

VARIABLE = "INFRA_ADOPT"


def adopt_existing(environment: Mapping[str, str]) -> bool:
    """Before the first resource is declared: those that are named are imported, and changed in nothing.

    True if this run does nothing else: the program stops after what can be adopted, and the engine, which is given
    targets, leaves alone what is not declared.
    """
    found = json.loads(environment.get(VARIABLE) or "{}")
    if found:
        pulumi.runtime.register_resource_transform(lambda args: adopted(found, args))
    return bool(found)


def adopted(found: Mapping[str, str], args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    identity = found.get(key(args.type_, args.name))
    if identity is None:
        return None
    # With everything ignored an import cannot fail because of a difference, and cannot change anything.
    imported = pulumi.ResourceOptions(import_=identity, ignore_changes=["*"])
    return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, imported))


def key(type_: str, name: str) -> str:
    return f"{type_}::{name}"
