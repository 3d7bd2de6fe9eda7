"""systemd's units: one question, and one call for each kind of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from components.host.converge.difference import Difference, at_once
from components.host.converge.host import Host, Trouble
from components.host.items import Unit
from components.host.report import COMPARED

Found = dict[str, str]
ASKED = "Id,LoadState,UnitFileState,ActiveState,ConditionResult,ConditionTimestampMonotonic"
ON_BY_ITSELF = ("enabled", "static", "alias", "indirect", "generated")


def found_units(names: Sequence[str], host: Host) -> dict[str, Found]:
    if not names:
        return {}
    printed = host.ask(("systemctl", "show", "--no-pager", f"--property={ASKED}", "--", *names))
    blocks = [dict(row.split("=", 1) for row in block.splitlines()) for block in printed.strip().split("\n\n")]
    return dict(zip(names, blocks, strict=True))


def look(items: Sequence[Unit], host: Host) -> Iterable[Difference]:
    found = found_units([item.name for item in items], host)
    calls = {verb: at_once(_call(host, verb)) for verb in ("mask", "unmask", "enable", "disable", "start", "stop")}
    for item in items:
        now = found[item.name]
        if now["LoadState"] == "not-found":
            if item.enabled == "masked":
                yield Difference(item, "is not masked", fix=calls["mask"](item.name), before=_before(now))
            elif not item.optional:
                yield Difference(item, "is not installed", fix=_missing(item, host), before=_before(now))
            continue
        wrong = _wrong(item, now)
        if wrong and host.container and wrong == ["start"] and _not_here(now):
            yield Difference(item, "its own conditions do not hold in a container", state=COMPARED)
        elif wrong:
            fixes = [calls[verb](item.name) for verb in wrong]
            yield Difference(item, _sentence(item, now), fix=_all(fixes), before=_before(now))


def _wrong(item: Unit, now: Found) -> list[str]:
    verbs: list[str] = []
    state = "masked" if now["LoadState"] == "masked" else now["UnitFileState"]
    if item.enabled == "masked":
        verbs += [] if state == "masked" else ["mask"]
    else:
        verbs += ["unmask"] if state == "masked" else []
        if item.enabled == "enabled" and state not in ON_BY_ITSELF:
            verbs.append("enable")
        if item.enabled == "disabled" and state in ("enabled", "masked"):
            verbs.append("disable")
    active = now["ActiveState"] in ("active", "activating", "reloading")
    if item.active is not None and active != item.active:
        verbs.append("start" if item.active else "stop")
    # Stopped before it is masked: a masked unit can be stopped as well, but not be found out about.
    return sorted(verbs, key=lambda verb: verb != "stop")


def _not_here(now: Found) -> bool:
    return now["ConditionResult"] == "no" and now["ConditionTimestampMonotonic"] not in ("", "0")


def _sentence(item: Unit, now: Found) -> str:
    wanted = {True: " and running", False: " and stopped", None: ""}[item.active]
    return f"is {now['UnitFileState'] or now['LoadState']} and {now['ActiveState']} instead of {item.enabled}{wanted}"


def _before(now: Found) -> dict[str, str]:
    return {"enabled": now["UnitFileState"] or now["LoadState"], "active": now["ActiveState"]}


def _call(host: Host, verb: str) -> Callable[[list[str]], None]:
    def call(names: list[str]) -> None:
        if verb == "start":
            host.run(("systemctl", "reset-failed", *names))
        host.do(("systemctl", verb, *names), seconds=180)

    return call


def _all(fixes: Sequence[Callable[[], None]]) -> Callable[[], None]:
    def fix() -> None:
        for each in fixes:
            each()

    return fix


def _missing(item: Unit, host: Host) -> Callable[[], None]:
    def fix() -> None:
        """A unit file that has just been written is only known after a reload."""
        host.do(("systemctl", "daemon-reload"))
        for difference in look([item], host):
            if found_units([item.name], host)[item.name]["LoadState"] == "not-found":
                raise Trouble("is not installed: the package that brings it is missing")
            if difference.fix:
                difference.fix()

    return fix
