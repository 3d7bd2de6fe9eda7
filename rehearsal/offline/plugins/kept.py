"""Resources that only keep state: every type that nothing stands behind yet."""

from dataclasses import dataclass, field
from typing import Any

from rehearsal.offline.plugins.behaviour import Rules
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.session import Session, now, render
from rehearsal.offline.plugins.wire import UNKNOWN, Found, Secret, Sides, Unknown, Values, plain

# What has to be there for a plugin to act, by its name in the marker.
NEEDS = {"docker": "machine", "aws": "clouds", "cloudflare": "clouds"}
_EMPTY: Values = {"str": "", "int": 0, "float": 0, "bool": False, "list": [], "map": {}}


@dataclass(frozen=True)
class Subject:
    """The resource that a call is about."""

    token: str
    name: str
    urn: str
    schema: Values
    rules: Rules
    session: Session
    settings: Values = field(default_factory=dict)  # the provider's own
    timeout: float | None = None  # seconds, where the program sets one

    @property
    def region(self) -> str:
        return str(self.settings.get("region") or "us-east-1")

    def note(self, line: str, severity: str = "info") -> None:
        """Print a line under this resource."""
        self.session.log(self.urn, line, severity)


def bare(inputs: Any) -> Any:
    """Inputs as they appear among the outputs: without the notes that Check left, at any depth."""
    if isinstance(inputs, dict):
        return {key: bare(value) for key, value in inputs.items() if not key.startswith("__")}
    return [bare(item) for item in inputs] if isinstance(inputs, list) else inputs


def unknowns(subject: Subject, inputs: Values) -> Values:
    """Give the outputs that are not known before the resource exists."""
    outputs, taken = subject.schema["outputs"], subject.schema["inputs"]
    missing = (name for name in outputs if name not in inputs)
    return {name: UNKNOWN for name in missing if name not in taken or not outputs[name][0]}


class Actor:
    """What every type can say about inputs beyond their types."""

    def mistakes(self, inputs: Values) -> list[str]:
        """List what the real plugin refuses at once."""
        return []

    def checked(self, inputs: Values) -> Values:
        """Give the inputs as the real plugin's Check leaves them."""
        return inputs

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        """Give the two sets of inputs that a diff compares."""
        return old, new


class Kept(Actor):
    """Create, read, update and delete over the rehearsal's store."""

    def preview(self, subject: Subject, inputs: Values) -> Values:
        return {**bare(inputs), **unknowns(subject, inputs)}

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        if type(self) is Kept and subject.session.marker.get(NEEDS.get(subject.token.split(":")[0], "")):
            subject.note(f"{subject.token} is not emulated: its state is kept, and nothing is made.", "warning")
        properties = {"region": subject.region, **bare(plain(inputs))}
        identity = str(render(subject.rules.id, properties))
        self._refuse_second(subject, properties, identity)
        outputs = {**self._computed(subject, {**properties, "id": identity}), **bare(plain(inputs))}
        subject.session.store.put(subject.token, identity, plain(inputs), outputs)
        return identity, outputs

    def _refuse_second(self, subject: Subject, properties: Values, identity: str) -> None:
        rules, store = subject.rules, subject.session.store
        if not rules.unique:
            return
        keys = rules.unique_by or {rules.autoname}
        if store.get(subject.token, identity) or store.alike(subject.token, keys, properties):
            raise Refusal(str(render(rules.unique, properties)))

    def _computed(self, subject: Subject, properties: Values) -> Values:
        values: Values = {}
        for name, (optional, kind) in subject.schema["outputs"].items():
            if name in properties and (name != "region" or "region" not in subject.schema["inputs"]):
                continue
            if name in subject.rules.computed:
                values[name] = render(subject.rules.computed[name], properties)
            elif not optional:
                values[name] = self._fallback(name, kind, subject)
        if "tagsAll" in subject.schema["outputs"]:
            values["tagsAll"] = properties.get("tags", {})
        return values

    def _fallback(self, name: str, kind: str, subject: Subject) -> Any:
        if name == "region":
            return subject.region
        if kind == "str" and (name.endswith(("On", "Date")) or name in ("created", "modified")):
            return now()
        return _EMPTY.get(kind)

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        """Compare with what there is: a value given now that was the default before is no change."""
        outputs, names = subject.schema["outputs"], subject.schema["inputs"]
        there = {**old, **{name: state[name] for name in names if name in state}}
        stays = {name: there[name] for name in names if name in there and name in outputs and not outputs[name][0]}
        return there, {**stays, **new}

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        """Change the object: what the program no longer gives goes, what the cloud computed stays."""
        stays = self._stays(subject, old)
        state = {**stays, **bare(inputs)}
        if "tagsAll" in stays:
            state["tagsAll"] = state.get("tags", {})
        if not preview:
            subject.session.store.put(subject.token, identity, plain(inputs), plain(state))
        return state

    def _stays(self, subject: Subject, old: Values) -> Values:
        """Give what the cloud computed."""
        outputs, taken = subject.schema["outputs"], subject.schema["inputs"]
        return {k: v for k, v in old.items() if k in outputs and (k not in taken or not outputs[k][0])}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        """Give what the cloud has, or None when it has no such object."""
        kept = subject.session.store.get(subject.token, identity)
        return (kept["outputs"], kept["inputs"]) if kept else None

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        subject.session.store.delete(subject.token, identity)


class Container(Kept):
    """docker.Container where no engine is at hand, with what bites users of the real one.

    Some of it comes back different, some never arrives.
    """

    never_applied = ("healthcheck", "tmpfs", "init", "cpuPeriod", "cpuQuota")

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        subject.session.acts()
        identity, outputs = super().create(subject, inputs)
        if outputs.get("memory") and not outputs.get("memorySwap"):
            outputs["memorySwap"] = 2 * outputs["memory"]  # the engine's own default
        self._keep(subject, identity, inputs, outputs)
        return identity, outputs

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        before = subject.session.store.get(subject.token, identity)
        state = super().update(subject, identity, old, inputs, preview)
        if before and not preview:
            there = {name: before["outputs"].get(name) for name in self.never_applied}
            merged = {**state, **there}
            self._keep(subject, identity, inputs, {key: value for key, value in merged.items() if value is not None})
        return state

    def _keep(self, subject: Subject, identity: str, inputs: Values, outputs: Values) -> None:
        """Keep what the next refresh will find: the engine has long names for capabilities."""
        given = outputs.get("capabilities") or {}
        named = {key: sorted(map(_capability, names)) for key, names in given.items()}
        kept = {**outputs, "capabilities": named} if named else outputs
        subject.session.store.put(subject.token, identity, plain(inputs), plain(kept))


def _capability(name: str) -> str:
    name = name.upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


class Zone(Kept):
    """cloudflare.Zone: those that the rehearsal was installed with exist before anything is made."""

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        name = subject.session.marker.get("zones", {}).get(identity, {}).get("name")
        if name and not subject.session.store.get(subject.token, identity):
            given = {"account": {}, "name": name}
            known = {**given, **subject.rules.computed, "id": identity}
            subject.session.store.put(subject.token, identity, given, {**known, **self._computed(subject, known)})
        return super().read(subject, identity, state, inputs)


def mark_secrets(subject: Subject, values: Values, unknowns: bool = False) -> Values:
    """Mark the properties that the SDK declares secret."""
    bare_kinds = (Secret, type(None)) if unknowns else (Secret, type(None), Unknown)
    return {
        name: Secret(value) if name in subject.schema["secrets"] and not isinstance(value, bare_kinds) else value
        for name, value in values.items()
    }
