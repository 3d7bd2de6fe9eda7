"""Files, folders, modes and limits. What a program reads is read by that program before it lands."""

from __future__ import annotations

import base64
import os
import resource
import stat
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.host.converge.difference import Difference, compare
from components.host.converge.host import Host, Trouble, gid_of, group_name, owner_name, uid_of, write
from components.host.items import Directory, File, Limits, Mode, Reader
from components.host.report import COMPARED

LARGEST = 1 << 20


def look_at_files(items: Sequence[File], host: Host) -> Iterable[Difference]:
    for item in items:
        now = snapshot(host, item.path)
        if item.content is None:
            if now is not None:
                diff = compare(_lines(now), (), item.path)
                yield Difference(item, "should not be there", diff, _remove(item, host), {"file": now})
            continue
        reason = _wrong(item, now)
        if reason:
            diff = "" if item.secret else compare(_lines(now), item.content.splitlines(), item.path)
            yield Difference(item, reason, diff, _write(item, host), {"file": now})


def snapshot(host: Host, path: str) -> dict[str, Any] | None:
    """All that is needed to have this file again; None when there is none."""
    at = host.at(path)
    try:
        found = at.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        return {"link": os.readlink(at)}
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise Trouble(f"{path} is no ordinary file: move it away")
    return {
        "content": base64.b64encode(at.read_bytes()).decode(),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": owner_name(found.st_uid),
        "group": group_name(found.st_gid),
    }


def put_back(host: Host, path: str, before: dict[str, Any] | None) -> None:
    at = host.at(path)
    if before is None:
        at.unlink(missing_ok=True)
    elif "link" in before:
        at.unlink(missing_ok=True)
        at.symlink_to(before["link"])
    else:
        content = base64.b64decode(before["content"])
        write(at, content, int(before["mode"], 8), uid_of(before["owner"]), gid_of(before["group"]))


def _text(now: dict[str, Any]) -> str:
    return base64.b64decode(now.get("content", "")).decode(errors="replace")


def _lines(now: dict[str, Any] | None) -> list[str]:
    if now is None:
        return []
    return [f"-> {now['link']}"] if "link" in now else _text(now).splitlines()


def _wrong(item: File, now: dict[str, Any] | None) -> str:
    if now is None:
        return "is missing"
    if "link" in now:
        return f"is a link to {now['link']}"
    if _text(now) != item.content:
        return "has other content"
    if now["mode"] != item.mode:
        return f"has the mode {now['mode']} instead of {item.mode}"
    if (now["owner"], now["group"]) != (item.owner, item.group):
        return f"belongs to {now['owner']}:{now['group']} instead of {item.owner}:{item.group}"
    return ""


def _remove(item: File, host: Host) -> Callable[[], None]:
    return lambda: host.at(item.path).unlink(missing_ok=True)


def _write(item: File, host: Host) -> Callable[[], None]:
    def fix() -> None:
        content = item.content or ""
        if item.reader:
            read_first(host, item.reader, item.path, content)
        at = host.at(item.path)
        at.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write(at, content.encode(), int(item.mode, 8), uid_of(item.owner), gid_of(item.group))

    return fix


def read_first(host: Host, reader: Reader, path: str, content: str) -> None:
    """Under its own name, because some readers go by the name."""
    with tempfile.TemporaryDirectory(prefix="infra-") as folder:
        candidate, wrapper = Path(folder) / Path(path).name, Path(folder) / "wrapper"
        candidate.write_text(content)
        wrapper.write_text(reader.wrapper.replace("{candidate}", str(candidate)))
        places = {"{candidate}": str(candidate), "{wrapper}": str(wrapper)}
        argv = [places.get(word, word) for word in reader.argv]
        if "sshd" in argv[0]:
            host.at("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        done = host.run(argv, seconds=60)
    if done.returncode != 0:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        said = said.replace(f"{folder}/", "")
        # A shell's line has the name of its reader as $0.
        name = argv[3] if argv[0] == "sh" and len(argv) > 3 else argv[0]
        raise Trouble(f"{name} refuses the new content, so the old one stays: {said[:400] or 'it does not say why'}")


def look_at_directories(items: Sequence[Directory], host: Host) -> Iterable[Difference]:
    for item in items:
        at = host.at(item.path)
        if not os.path.lexists(at):
            yield Difference(item, "is missing", fix=_make(item, host), before={"made": True})
            continue
        reason = _wrong_mode(item, at) if at.is_dir() else "is no folder"
        if reason:
            yield Difference(item, reason, fix=_make(item, host), before={"made": False})


def _make(item: Directory, host: Host) -> Callable[[], None]:
    def fix() -> None:
        at = host.at(item.path)
        if os.path.lexists(at) and not at.is_dir():
            raise Trouble(f"{item.path} is no folder: move it away")
        at.mkdir(parents=True, exist_ok=True)
        _set_mode(item, at)

    return fix


def look_at_modes(items: Sequence[Mode], host: Host) -> Iterable[Difference]:
    for item in items:
        at = host.at(item.path)
        reason = _wrong_mode(item, at) if at.exists() else ""
        if reason:
            found = at.stat()
            before = {"mode": f"{stat.S_IMODE(found.st_mode):04o}", "uid": found.st_uid, "gid": found.st_gid}
            yield Difference(item, reason, fix=partial(_set_mode, item, at), before=before)


def _wrong_mode(item: Directory | Mode, at: Path) -> str:
    found = at.stat()
    mode, owner = f"{stat.S_IMODE(found.st_mode):04o}", owner_name(found.st_uid)
    if (owner, group_name(found.st_gid)) != (item.owner, item.group):
        return f"belongs to {owner}:{group_name(found.st_gid)} instead of {item.owner}:{item.group}"
    return f"has the mode {mode} instead of {item.mode}" if mode != item.mode else ""


def _set_mode(item: Directory | Mode, at: Path) -> None:
    os.chown(at, uid_of(item.owner), gid_of(item.group))
    at.chmod(int(item.mode, 8))


def look_at_limits(items: Sequence[Limits], host: Host) -> Iterable[Difference]:
    for item in items:
        granted = {name: _granted(host, name, value) for name, value in item.values.items()}
        text = limits_text(item, granted)
        now = snapshot(host, item.path)
        if now is None or _text(now) != text or now.get("mode") != "0644":
            diff = compare(_lines(now), text.splitlines(), item.path)
            file = File(item.path, text)
            yield Difference(item, _wrong(file, now), diff, _write(file, host), {"file": now})
        elif granted != item.values:
            less = ", ".join(f"{name} {granted[name]}" for name in granted if granted[name] != item.values[name])
            yield Difference(item, f"this machine grants {less} at most", state=COMPARED)


def _granted(host: Host, name: str, value: int) -> int:
    if host.raises_limits or name == "core":
        return value
    number = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}[name]
    most = resource.getrlimit(number)[1]
    return value if most == resource.RLIM_INFINITY else min(value, most)


def limits_text(item: Limits, granted: dict[str, int]) -> str:
    rows = [
        f"{domain} {kind} {name} {value}"
        for domain in item.domains
        for name, value in sorted(granted.items())
        for kind in ("soft", "hard")
    ]
    return "# Written by ./infra up. '*' does not include root.\n" + "\n".join((*rows, ""))
