"""The two modes: look at everything, or put everything right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from components.host.converge import adoption, guard, packages, takeback
from components.host.converge.difference import Difference
from components.host.converge.files import put_back
from components.host.converge.host import Host, Trouble
from components.host.converge.looking import known_now, look, masked, of_kind, others
from components.host.converge.state import State
from components.host.items import ORDER, Argv, Desired, File, Item
from components.host.report import CHANGED, COMPARED, EXTRA, FAILED, OK, Line

# When the files have landed and before anything relies on them.
AFTER_FILES = "limits"
GUARDED = ("file", "unit", "live")


def check(desired: Desired, host: Host, state: State) -> list[Line]:
    differences = [each for kind in ORDER for each in look(kind, _all_of(desired, kind), host)]
    differences += takeback.look(desired, host, state)
    differences += others(desired, host, state) if state.adopted else adoption.found(desired, host)
    lines = {each.line().item: each.line() for each in differences}
    if state.rolled_back:
        reason = (
            f"the last change of sshd or of the firewall was taken back at {state.rolled_back}: nobody confirmed it"
        )
        lines["guard:access"] = Line("guard:access", FAILED, reason)
    for item in desired.items:
        lines.setdefault(item.key, Line(item.key, OK))
    return list(lines.values())


def _all_of(desired: Desired, kind: str) -> list[Item]:
    return [item for item in desired.items if item.kind == kind]


@dataclass
class Work:
    """One run that changes what differs. `lines` is what became of each item."""

    desired: Desired
    host: Host
    state: State
    lines: dict[str, Line] = field(default_factory=dict)
    token: str = ""
    undone: dict[str, Difference] = field(default_factory=dict)

    def run(self) -> None:
        if not self.state.adopted and self._stops_before_others():
            return
        packages.recover(self.host)
        self._repair(look("unit", masked(self.desired.items), self.host))
        for kind in ORDER:
            self._repair(look(kind, of_kind(self.desired.items, kind), self.host))
            if kind == AFTER_FILES:
                self._act()
        self._guarded()
        self._others()
        self._repair(takeback.look(self.desired, self.host, self.state))
        for item in self.desired.items:
            self.lines.setdefault(item.key, Line(item.key, OK))

    def _stops_before_others(self) -> bool:
        """A server that runs something already is taken over only when told to: nothing has been changed so far."""
        found = list(adoption.found(self.desired, self.host))
        if not found or self.desired.adopt:
            self.state.known = known_now(self.desired, self.host)
            self.state.adopted = True
            self.state.save()
            return False
        for each in found:
            line = each.line()
            self.lines[line.item] = line
        reason = (
            f"the server already runs {len(found)} things of somebody's, and nothing has been changed: "
            "read them in `./infra drift`, then set host.adopt: true to take it over"
        )
        self.lines["found:"] = Line("found:", FAILED, reason)
        return True

    def _repair(self, differences: Iterable[Difference]) -> None:
        for each in differences:
            if each.fix is None:
                self._note(each.line())
                continue
            if each.item is not None and each.item.key not in self.lines:
                self.state.own(each.item, each.before)
            self._note(self._fixed(each))

    def _fixed(self, difference: Difference) -> Line:
        try:
            difference.fix()  # type: ignore[misc]
        except (Trouble, OSError) as trouble:
            key = difference.line().item
            self.state.done({key})
            return difference.line(FAILED, str(trouble))
        self.undone[difference.line().item] = difference
        return difference.line(CHANGED)

    def _note(self, line: Line) -> None:
        """A masked unit is looked at twice: what was changed stays said."""
        found = self.lines.get(line.item)
        if found is None or found.state in (OK, COMPARED):
            self.lines[line.item] = line

    def _act(self) -> None:
        """The commands that are due, from this run or from one that was cut off, each once."""
        keys_of: dict[Argv, list[str]] = {}
        for entry in self.state.due:
            for action in entry["actions"]:
                keys_of.setdefault(tuple(action), []).append(entry["key"])
        failed: set[str] = set()
        for action, keys in keys_of.items():
            try:
                self.host.do(action, seconds=180)
            except Trouble as trouble:
                failed |= set(keys)
                self._take_back(action, keys, trouble)
        self.state.done({entry["key"] for entry in self.state.due} - failed)

    def _take_back(self, action: Argv, keys: Sequence[str], trouble: Trouble) -> None:
        """What a service does not start with is no improvement: the old files come back, and it gets another try."""
        for key in keys:
            difference = self.undone.get(key)
            if difference is None or not isinstance(difference.item, File):
                continue
            put_back(self.host, difference.item.path, difference.before["file"])
            reason = f"{trouble}; the file that was there before is back"
            self.lines[key] = difference.line(FAILED, reason)
            self.state.done({key})
        self.host.run(action, seconds=180)

    def _guarded(self) -> None:
        """Last, and only when everything else is in order: a run that fails has no second login."""
        found = [each for kind in GUARDED for each in self._look_at_guarded(kind)]
        due = {entry["key"] for entry in self.state.due}
        wrong = [each.item for each in found if each.fix and each.item]
        wrong += [item for item in self.desired.items if item.key in due and item not in wrong]
        # A run that was killed may have made the change: it still waits for its second login.
        waits = guard.load(self.host) is not None
        if not (wrong or waits) or self._failed():
            self._leave(found)
            return
        self.token = guard.arm(self.host, self.state, wrong, self.desired)  # type: ignore[arg-type]
        for kind in GUARDED:
            # Looked at again: the files have changed what runs.
            self._repair(self._look_at_guarded(kind))
            self._act()
        if self._failed():
            self._take_access_back(wrong)
        else:
            guard.renew(self.host, self.state, self.desired.second_login)

    def _look_at_guarded(self, kind: str) -> list[Difference]:
        return look(kind, of_kind(self.desired.items, kind, guarded=True), self.host)

    def _failed(self) -> bool:
        return any(line.state == FAILED for line in self.lines.values())

    def _take_access_back(self, items: Iterable[Item]) -> None:
        """Half a change of access is none."""
        troubles = guard.roll_back(self.host, self.state, locked_out=False)
        self.token = ""
        for item in items:
            found = self.lines.get(item.key)
            if found is None or found.state == CHANGED:
                reason = " ".join(("was taken back, because another part of the access failed", *troubles))
                self.lines[item.key] = Line(item.key, FAILED, reason)

    def _leave(self, found: Iterable[Difference]) -> None:
        for each in found:
            waits = each.fix is not None
            self._note(each.line(FAILED, "waits until everything else is in order") if waits else each.line())

    def _others(self) -> None:
        for each in others(self.desired, self.host, self.state):
            line = self._fixed(each)
            # A listener stays: it is said, and does not stop the run.
            self.lines[line.item] = line if line.state == CHANGED else each.line(EXTRA)
