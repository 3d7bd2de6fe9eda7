"""Packages: one question to dpkg, one call of apt."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from components.host.converge.difference import Difference, at_once
from components.host.converge.host import Host, Trouble
from components.host.items import Package

LOCK_SECONDS = 300
INSTALL_SECONDS = 1800
LISTS_SECONDS = 6 * 3600
LOCKED = ("Could not get lock", "Unable to acquire the dpkg", "is another process using it", "lock was locked")
APT = (
    *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}", "--no-install-recommends"),
    # Somebody's own configuration stays; ours is written afterwards.
    *("-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef"),
)


def states(host: Host) -> dict[str, str]:
    rows = host.ask(("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")).splitlines()
    return dict(row.split(" ", 1) for row in rows)


def look(items: Sequence[Package], host: Host) -> Iterable[Difference]:
    found = states(host) if items else {}
    fix = at_once(lambda names: install(host, names))
    for item in items:
        state = found.get(item.name, "not-installed")
        if state != "installed":
            reason = "is not installed" if state in ("not-installed", "config-files") else f"is {state}"
            yield Difference(item, reason, fix=fix(item.name), before={"installed": False})


def recover(host: Host) -> None:
    """A dpkg that was killed leaves packages half done, and apt refuses everything until they are done."""
    halves = [name for name, state in states(host).items() if state.startswith(("half", "unpacked", "triggers"))]
    if not halves and not any(host.at("/var/lib/dpkg/updates").glob("[0-9]*")):
        return
    try:
        patiently(host, ("dpkg", "--force-confold", "--force-confdef", "--configure", "-a"))
    except Trouble:
        # Also tried when something that it depends on is missing.
        patiently(host, (*APT, "--fix-broken", "install"))


def install(host: Host, names: Sequence[str]) -> None:
    """Asking the archive takes seconds: only when nobody has lately, or when what is known does not do."""
    if _lists_are_new(host):
        try:
            patiently(host, (*APT, "install", *names))
        except Trouble:
            pass
        else:
            return
    patiently(host, ("apt-get", "-q", "update"))
    patiently(host, (*APT, "install", *names))


def _lists_are_new(host: Host) -> bool:
    lists = [path for path in host.at("/var/lib/apt/lists").glob("*_Packages*") if path.is_file()]
    return bool(lists) and time.time() - max(path.stat().st_mtime for path in (*lists, lists[0].parent)) < LISTS_SECONDS


def remove(host: Host, names: Sequence[str], wanted: Iterable[str]) -> bool:
    """Only when nothing else goes with them, and nothing that is wanted by another name."""
    plan = host.ask((*APT, "--simulate", "remove", *names))
    going = {row.split()[1] for row in plan.splitlines() if row.startswith("Remv ")}
    if going - set(names) or going & set(wanted):
        return False
    patiently(host, (*APT, "remove", *names))
    return True


def patiently(host: Host, argv: Sequence[str]) -> None:
    """Daily updates hold the same locks for minutes."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        done = host.run(argv, seconds=INSTALL_SECONDS)
        if done.returncode == 0:
            return
        said = done.stderr + done.stdout
        if not any(word in said for word in LOCKED):
            raise Trouble(_sentence(argv, said))
        if time.monotonic() > end:
            raise Trouble(
                f"another program has held apt's lock for {LOCK_SECONDS} s: see `systemctl status apt-daily*`"
            )
        time.sleep(1)


def _sentence(argv: Sequence[str], said: str) -> str:
    rows = [row for row in said.splitlines() if row.startswith(("E:", "dpkg: error", "Err:"))] or said.splitlines()
    words = [word for word in argv if not word.startswith("-") and "=" not in word and ":" not in word]
    return f"`{' '.join(words[:4])}` failed: {' '.join(rows[-3:])[:400]}"
