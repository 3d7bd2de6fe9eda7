"""The emulated clouds as a plugin sees them: started when first needed, and read in the program's own words."""

import json
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.kept import Kept, Subject, bare
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import Found, Sides, Values, plain

_IDLE = 60.0  # seconds: the clouds of a run end soon after it
_EMPTY: tuple[Any, ...] = (None, "", [], {}, 0, False)
_lock = threading.Lock()
_running: dict[str, Any] = {}


def running(subject: Subject) -> Any:
    """Give the rehearsal's clouds; they start with the first change or refresh, never with a preview."""
    from rehearsal import RehearsalError  # noqa: PLC0415
    from rehearsal.clouds import servers  # noqa: PLC0415

    folder = subject.session.marker["clouds"]
    with _lock:
        if folder not in _running:
            try:
                found = servers.start(Path(folder), idle=_IDLE)
                for identity, zone in subject.session.marker.get("zones", {}).items():
                    found.adopt(servers.Zone(identity, **zone))
            except RehearsalError as error:
                raise Refusal(str(error)) from error
            _running[folder] = found
        return _running[folder]


def forget(subject: Subject) -> None:
    """They do not answer: the next question starts them again."""
    with _lock:
        _running.pop(subject.session.marker["clouds"], None)


def as_given(seen: Any, given: Any, computed: dict[str, Any]) -> Any:
    """Write what is there as the program writes it, so that only a real change shows.

    What the cloud adds by itself (`computed`: name and value, None for any) is left out, unless the program gave it.
    """
    if isinstance(seen, dict) and isinstance(given, dict):
        extra = {key: value for key, value in seen.items() if key not in given and not _by_itself(key, value, computed)}
        known = {key: as_given(seen.get(key), value, computed) for key, value in bare(given).items()}
        return {**{key: value for key, value in known.items() if value is not None}, **extra}
    if isinstance(seen, list) and isinstance(given, list) and len(seen) == len(given):
        return [as_given(*pair, computed) for pair in zip(_paired(seen, given), given, strict=True)]
    return given if _same(seen, given) else seen


def _by_itself(key: str, value: Any, computed: dict[str, Any]) -> bool:
    if key in computed:
        return computed[key] is None or bool(value == computed[key])
    return value in _EMPTY or (isinstance(value, dict) and all(_by_itself(k, v, computed) for k, v in value.items()))


def _paired(seen: list[Any], given: list[Any]) -> list[Any]:
    """Bring equal texts into the order of the program: where it matters, the items are objects."""
    texts = all(isinstance(item, str) for item in (*seen, *given))
    return list(given) if texts and sorted(seen) == sorted(given) else seen


def _same(seen: Any, given: Any) -> bool:
    if seen in _EMPTY and given in _EMPTY:
        return True
    return str(seen) == str(given) and isinstance(seen, bool) == isinstance(given, bool)


def _typed(value: Any, kind: str) -> Any:
    """Give an answer in the type that the SDK promises."""
    return json.dumps(value) if kind == "str" and isinstance(value, (dict, list)) else value


class InCloud(Kept):
    """The common part of what lives in an emulated cloud."""

    computed: dict[str, Any] = {}  # noqa: RUF012 - see as_given

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        """Create it; give its id and what the cloud answered, in the program's words."""
        raise NotImplementedError

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        """Give what is there, or None."""
        raise NotImplementedError

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        """Change it; give what the cloud answered."""
        raise NotImplementedError

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        """Remove it; that it is gone already is no mistake."""
        raise NotImplementedError

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        """Give the id of what was made of these inputs, for a run that ended before it could write that down."""
        return None  # making it again changes nothing

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        given = bare(plain(inputs))
        identity, answer = self.make(subject, given)
        return identity, self._outputs(subject, identity, given, answer)

    def _outputs(self, subject: Subject, identity: str, given: Values, answer: Values) -> Values:
        known = self._computed(subject, {"region": subject.region, **given, "id": identity})
        outputs = subject.schema["outputs"]
        told = {key: _typed(value, outputs[key][1]) for key, value in answer.items() if key in outputs}
        return {key: value for key, value in {**known, **told, **given}.items() if value is not None}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        told = bare(plain(inputs))  # without a state when an unfinished run is put in order
        before = plain(state) or ({**told, "id": identity} if told else self.imported(subject, identity))
        there = self.look(subject, identity, before)
        if there is None:
            return None
        identity = str(there.get("id", identity))  # an import's may be longer
        taken = subject.schema["inputs"]
        wanted = told or {key: before[key] for key in before if key in taken}
        outputs = subject.schema["outputs"]
        there = {key: _typed(value, outputs[key][1]) for key, value in there.items() if key in outputs}
        seen = {key: as_given(there[key], wanted[key], self.computed) if key in wanted else there[key] for key in there}
        found = self._outputs(subject, identity, {**before, **seen}, {})
        given = inputs or {key: value for key, value in found.items() if key in taken and value not in _EMPTY}
        notes = {key: value for key, value in given.items() if key.startswith("__")}
        return found, {**{key: found[key] for key in given if key in found}, **notes}

    def imported(self, subject: Subject, identity: str) -> Values:
        """Give what an id says of what is to be imported."""
        return {"id": identity}

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        there, wanted = super().sides(subject, state, old, new)
        stated = {key: value for key, value in there.items() if key in old or not _by_itself(key, value, self.computed)}
        wanted = {key: value for key, value in wanted.items() if key in new or key in stated}
        known = {key: as_given(stated[key], wanted[key], self.computed) for key in stated.keys() & wanted.keys()}
        return {**stated, **known}, wanted

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        given = bare(plain(inputs))
        state = {**self._stays(subject, old), **bare(inputs)}
        if preview:
            return state
        answer = self.change(subject, identity, plain(old), given)
        return {**state, **self._outputs(subject, identity, given, {**plain(self._stays(subject, old)), **answer})}

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        self.remove(subject, identity, plain(state))
