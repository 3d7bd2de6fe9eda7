"""The pack behind the SDK's own servicer: what the engine sends, and what it gets back, without the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.protobuf import struct_pb2
from pack.dispatch import Dispatch
from pack.judge import Judge
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from rules import RULES
from rules.frame import Rule, StackRule

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
TODAY = date(2026, 11, 21)


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


@dataclass(frozen=True)
class Declared:
    """A resource as a program declares it."""

    type: str
    props: Mapping[str, Any]
    name: str = "it"
    protect: bool = False
    sources: Mapping[str, tuple[str, ...]] | None = None
    provider_unknown: bool = False
    """The engine has no properties of it for the stack: what its provider is told is not known yet."""

    @property
    def urn(self) -> str:
        return f"urn:pulumi:s::p::{self.type}::{self.name}"

    def _words(self) -> dict[str, Any]:
        properties = struct_pb2.Struct()
        properties.update(dict(self.props))
        options = proto.AnalyzerResourceOptions(protect=self.protect)
        return {"type": self.type, "name": self.name, "urn": self.urn, "properties": properties, "options": options}

    def request(self) -> Any:
        return proto.AnalyzeRequest(**self._words())

    def in_stack(self) -> Any:
        deps = {key: proto.AnalyzerPropertyDependencies(urns=urns) for key, urns in (self.sources or {}).items()}
        words = self._words()
        if self.provider_unknown:
            words["properties"] = struct_pb2.Struct()
        return proto.AnalyzerResource(**words, propertyDependencies=deps)


class Pack:
    """One run of the pack."""

    def __init__(
        self,
        rules: Iterable[Rule | StackRule] = tuple(RULES),
        environment: Mapping[str, str] | None = None,
        today: date = TODAY,
    ) -> None:
        self.judge = Judge(list(rules), environment or {}, today)
        policies = Dispatch(self.judge).policies
        self.servicer = _PolicyAnalyzerServicer("test", "1", policies, EnforcementLevel.ADVISORY)

    def preview(self, *resources: Declared) -> list[Any]:
        """Diagnostics of a whole run, as if no violation had stopped it."""
        found = []
        for each in resources:
            self.servicer.Remediate(each.request(), None)
            found += self.servicer.Analyze(each.request(), None).diagnostics
        return found + self.stack(*resources)

    def stack(self, *resources: Declared) -> list[Any]:
        request = proto.AnalyzeStackRequest(resources=[each.in_stack() for each in resources])
        return list(self.servicer.AnalyzeStack(request, None).diagnostics)

    def remediated(self, resource: Declared) -> list[Any]:
        return list(self.servicer.Remediate(resource.request(), None).remediations)


def names(diagnostics: Iterable[Any]) -> list[str]:
    return sorted(each.policyName for each in diagnostics)
