"""The running kernel, and states that live in no file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from components.host.converge.difference import Difference, compare
from components.host.converge.host import Host, Trouble, write
from components.host.items import Live, Swap, Sysctl
from components.host.report import COMPARED, EXTRA


def look_at_sysctls(items: Sequence[Sysctl], host: Host) -> Iterable[Difference]:
    for item in items:
        at = host.at("/proc/sys") / item.name.replace(".", "/")
        try:
            now = " ".join(at.read_text().split())
        except OSError:
            yield Difference(item, "this kernel has no such setting", state=COMPARED)
            continue
        if now == " ".join(item.value.split()):
            continue
        diff = compare([now], [item.value], item.key)
        if host.container and not _is_own(item.name, at):
            yield Difference(item, f"is {now}; a container cannot write it", diff, state=COMPARED)
        else:
            reason = f"is {now} instead of {item.value}"
            yield Difference(item, reason, diff, _set(item, at), {"value": now})


def _is_own(name: str, at: Path) -> bool:
    """Only the network's settings have a namespace, and not all of them: those look read-only, or are not there."""
    return name.startswith("net.") and os.access(at, os.W_OK)


def _set(item: Sysctl, at: Path) -> Callable[[], None]:
    def fix() -> None:
        try:
            at.write_text(f"{item.value}\n")
        except OSError as error:
            raise Trouble(f"the kernel refuses {item.value}: {error.strerror}") from None

    return fix


def look_at_swap(items: Sequence[Swap], host: Host) -> Iterable[Difference]:
    for item in items:
        now = _swap_mb(host, item.path)
        # A page is the header's.
        if abs(now - item.megabytes) <= 1 and (not item.megabytes or _in_fstab(host, item.path)):
            continue
        reason = f"has {now} MB instead of {item.megabytes}" if now != item.megabytes else "is not in /etc/fstab"
        if host.container:
            yield Difference(item, f"{reason}; a container cannot change it", state=COMPARED)
        else:
            yield Difference(item, reason, fix=_resize(item, host), before={"made": now == 0, "megabytes": now})


def _swap_mb(host: Host, path: str) -> int:
    for row in host.text("/proc/swaps").splitlines()[1:]:
        name, _, size, *_ = row.split()
        if name == path:
            return round(int(size) / 1024)
    return 0


def _in_fstab(host: Host, path: str) -> bool:
    return any(row.split()[:1] == [path] for row in host.text("/etc/fstab").splitlines())


def _resize(item: Swap, host: Host) -> Callable[[], None]:
    return lambda: resize(host, item.path, item.megabytes)


def resize(host: Host, path: str, megabytes: int) -> None:
    at = host.at(path)
    if _swap_mb(host, path):
        host.do(("swapoff", path))
    at.unlink(missing_ok=True)
    rows = [row for row in host.text("/etc/fstab").splitlines() if row.split()[:1] != [path]]
    if megabytes:
        _refuse_full_disk(at, megabytes)
        temporary = f"{path}.new"
        host.at(temporary).unlink(missing_ok=True)
        host.do(("fallocate", "-l", f"{megabytes}M", temporary))
        host.at(temporary).chmod(0o600)
        host.do(("mkswap", temporary))
        host.at(temporary).rename(at)
        host.do(("swapon", path))
        rows.append(f"{path} none swap sw 0 0")
    write(host.at("/etc/fstab"), "".join(f"{row}\n" for row in rows).encode(), 0o644)


def _refuse_full_disk(at: Path, megabytes: int) -> None:
    found = os.statvfs(at.parent)
    free = found.f_bavail * found.f_frsize >> 20
    if free < megabytes + 1024:
        raise Trouble(
            f"only {free} MB are free, and 1024 MB shall be left beside the swap file: make host.swap smaller"
        )


def look_at_live(items: Sequence[Live], host: Host) -> Iterable[Difference]:
    for item in items:
        try:
            printed = host.ask(item.show).splitlines()
        except Trouble as trouble:
            yield Difference(item, str(trouble), compare((), item.lines, item.key), _repair(item, host))
            continue
        difference = _differs(item, printed)
        if difference is None:
            continue
        if item.compare_only and host.container:
            yield Difference(
                item, f"{difference.reason}; a container cannot change it", difference.diff, state=COMPARED
            )
        else:
            difference.fix = _repair(item, host)
            yield difference


def _differs(item: Live, printed: Sequence[str]) -> Difference | None:
    passing = re.compile(item.ignore) if item.ignore else None
    now = [line.strip() for line in printed if line.strip() and not (passing and passing.search(line))]
    desired = [line.strip() for line in item.lines]
    missing = [line for line in desired if line not in now]
    if not item.exact:
        shown = [line for line in now if line.split()[:1] in [each.split()[:1] for each in missing]]
        return Difference(item, f"lacks {missing[0]!r}", compare(shown, missing, item.key)) if missing else None
    if now == desired:
        return None
    diff = compare(now, desired, item.key)
    extra = [line for line in now if line not in desired]
    if extra and not missing:
        return Difference(item, f"has an extra line: {extra[0]}", diff, state=EXTRA)
    return Difference(item, f"lacks {missing[0]!r}" if missing else "has another order", diff)


def _repair(item: Live, host: Host) -> Callable[[], None]:
    def fix() -> None:
        if not item.repair:
            raise Trouble("it has no repair of its own: find out who changed it")
        for argv in item.repair:
            host.do(argv)
        if item.partly:
            return
        left = _differs(item, host.ask(item.show).splitlines())
        if left is not None:
            raise Trouble(f"it still {left.reason} after `{' '.join(item.repair[-1])}`")

    return fix
