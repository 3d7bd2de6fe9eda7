"""What nginx serves, changed on the host without a client noticing. Standard library only: it runs on the server.

A JSON document on standard input says what shall be; each configuration is a folder of its own under `generations`, and
`current` points to the one in force, so a change is one rename and the way back another one.

    prepare   the configuration itself; before there is an nginx it is only put in place and tested
    switch    who answers: the new set takes over, the old one stands by while the new one has to prove itself
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

LOCK_SECONDS = 300
RELOAD_SECONDS = 30
SPARE = "@spare@"
NOBODY = "server 127.0.0.1:1 down;"

Files = dict[str, str]
Wanted = Mapping[str, Any]
Sets = dict[str, list[str]]


class FailureError(Exception):
    """One sentence for the operator."""


def main(wanted: Wanted) -> None:
    root = Path(wanted["root"])
    for folder in (root, root / "generations", root / "tls", root / "acme"):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with locked(root):
        self_signed(root / "tls", wanted)
        {"prepare": prepare, "switch": switch}[wanted["action"]](root, wanted)
        sweep(root)


def prepare(root: Path, wanted: Wanted) -> None:
    """Who answers stays as it is, but for containers that are gone; before the first switch it is nobody."""
    before = current(root)
    serving = {name: before[name] for name in ("upstreams.conf", "serving.json") if name in before}
    files = {**wanted["files"], "upstreams.conf": upstreams(wanted, {}), **serving}
    put(root, {**files, "upstreams.conf": still_there(files["upstreams.conf"])}, wanted)


def switch(root: Path, wanted: Wanted) -> None:
    """The old set stays behind the new one until that has served for `soak` seconds; a death before leads back."""
    before = current(root)
    old = json.loads(before.get("serving.json", "{}"))
    new = {kind: wanted[kind] for kind in ("backends", "frontends")}
    spares = {kind: [name for name in old.get(kind, []) if name not in new[kind] and running(name)] for kind in new}
    after = {**before, "serving.json": json.dumps(new)}
    must_run(new)
    put(root, {**after, "upstreams.conf": upstreams(wanted, spares)}, wanted)
    if any(spares.values()):
        prove(root, before, new, wanted)
        put(root, {**after, "upstreams.conf": upstreams(wanted, {})}, wanted)
    print("serving: " + " ".join(new["backends"] + new["frontends"]))


def prove(root: Path, before: Files, new: Sets, wanted: Wanted) -> None:
    since = started(new)
    end = time.monotonic() + wanted["soak"]
    while time.monotonic() < end:
        time.sleep(min(1, wanted["soak"]))
        try:
            must_run(new)
            must_not_have_died(since)
        except FailureError:
            put(root, before, wanted)
            raise


def started(new: Sets) -> dict[str, str]:
    return {name: inspect(name, "{{.State.StartedAt}}") for name in (*new["backends"], *new["frontends"])}


def must_not_have_died(since: Mapping[str, str]) -> None:
    """One that has died is running again by now: the engine sees to that."""
    for name, moment in since.items():
        if inspect(name, "{{.State.StartedAt}}") != moment:
            raise FailureError(f"{name} has died and was started again: the old set serves on. {last_words(name)}")


def last_words(name: str) -> str:
    return "Its last words:\n" + run("docker", "logs", "--tail", "5", name, check=False).strip()


def must_run(new: Sets) -> None:
    for name in (*new["backends"], *new["frontends"]):
        state = inspect(name, "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}")
        # It was healthy before: one that is starting has died meanwhile.
        if state.split()[:1] != ["running"] or state.endswith(("unhealthy", "starting")):
            raise FailureError(f"{name} is {state.strip() or 'gone'}: the old set serves on. {last_words(name)}")


def upstreams(wanted: Wanted, spares: Sets) -> str:
    """The line of a spare is written once for each old container, or not at all."""
    lines: list[str] = []
    for line in wanted["files"]["upstreams.conf"].splitlines():
        if SPARE not in line:
            lines.append(line)
            continue
        kind = "backends" if ":3000" in line else "frontends"
        lines += [line.replace(SPARE, name) for name in spares.get(kind, [])]
    return "\n".join([*lines, ""])


def still_there(text: str) -> str:
    """nginx does not start with a name that nobody has, and a container that is gone has none."""
    kept = [line for line in text.splitlines() if not (name := server(line)) or running(name)]
    blocks = "\n".join(kept).split("}")[:-1]
    return "".join(f"{block}}}" if "server " in block else f"{block}    {NOBODY}\n}}" for block in blocks) + "\n"


def server(line: str) -> str:
    found = re.match(r"\s*server ([^:]+):", line)
    return "" if found is None or NOBODY in line else found.group(1)


def put(root: Path, files: Files, wanted: Wanted) -> None:
    """Tested by nginx itself in a container of its own, then in force; a refusal changes nothing."""
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / "generations" / name
    write(folder, files)
    test(root, folder, wanted)
    before = os.readlink(root / "current") if (root / "current").is_symlink() else None
    if before == f"generations/{name}":
        return
    point(root, f"generations/{name}")
    master = int(inspect(wanted["container"], "{{.State.Pid}}") or 0)
    if not master:
        return
    if before and not reload(master, wanted["drain"]):
        point(root, before)
        os.kill(master, signal.SIGHUP)
        raise FailureError(
            f"{wanted['container']} did not take the new configuration over; the one before is in force."
        )


def test(root: Path, folder: Path, wanted: Wanted) -> None:
    inside = f"/etc/stack/generations/{folder.name}/nginx.conf"
    fence = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", wanted["user"]]
    owner = "uid={},gid={}".format(*wanted["user"].split(":"))
    memory = [part for path in ("/var/cache/nginx", "/var/run") for part in ("--tmpfs", f"{path}:{owner}")]
    place = ["--network", wanted["network"], "--volume", f"{root}:/etc/stack:ro", "--entrypoint", "nginx"]
    try:
        run("docker", "run", "--rm", *fence, *memory, *place, wanted["image"], "-t", "-q", "-c", inside)
    except FailureError as refusal:
        raise FailureError(f"nginx refuses the new configuration; nothing was changed. {refusal}") from None


def reload(master: int, drain: int) -> bool:
    """Returns when the last old worker has gone: only then may what it talked to be taken away."""
    old = workers(master)
    os.kill(master, signal.SIGHUP)
    if not within(RELOAD_SECONDS, lambda: workers(master) - old):
        return False
    within(drain + RELOAD_SECONDS, lambda: not workers(master) & old)
    return True


def workers(master: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" (")
            parent = rest.rpartition(") ")[2].split()[1]
        except OSError:
            continue
        if int(parent) == master and b"worker process" in (stat.parent / "cmdline").read_bytes():
            found.add(int(pid))
    return found


def within(seconds: float, happened: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def current(root: Path) -> Files:
    folder = root / "current"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def write(folder: Path, files: Files) -> None:
    """A folder that is there is complete: it is made under another name."""
    if folder.exists():
        return
    partial = folder.with_name(f".{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o755)
    for name, text in files.items():
        (partial / name).write_text(text)
        (partial / name).chmod(0o644)
    partial.rename(folder)


def point(root: Path, target: str) -> None:
    partial = root / ".current"
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.rename(root / "current")


def sweep(root: Path) -> None:
    """The generation in force stays, and the four before it for whoever looks for what changed."""
    kept = os.readlink(root / "current").rpartition("/")[2]
    folders = sorted((root / "generations").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in [path for path in folders if path.name != kept][4:]:
        shutil.rmtree(folder, ignore_errors=True)


def self_signed(folder: Path, wanted: Wanted) -> None:
    """nginx starts before there is a certificate, and a certificate needs an nginx: somebody has to begin."""
    if (folder / "fullchain.pem").exists() and (folder / "privkey.pem").exists():
        return
    names = ",".join(f"DNS:{name}" for name in wanted["names"])
    key, chain = folder / ".privkey.pem", folder / ".fullchain.pem"
    subject = ["-subj", f"/CN={wanted['names'][0]}", "-addext", f"subjectAltName={names}", "-days", "30"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(*make, *subject, "-keyout", str(key), "-out", str(chain))
    user, _, group = wanted["user"].partition(":")
    os.chown(key, int(user), int(group))
    key.chmod(0o400)
    key.rename(folder / "privkey.pem")
    chain.rename(folder / "fullchain.pem")


def locked(root: Path) -> TextIO:
    handle = (root / ".lock").open("w")
    if not within(LOCK_SECONDS, lambda: taken(handle)):
        raise FailureError(f"Another run has held {root}/.lock for {LOCK_SECONDS} s: wait for it, or see what it does.")
    return handle


def taken(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def running(name: str) -> bool:
    return inspect(name, "{{.State.Running}}") == "true"


def inspect(name: str, template: str) -> str:
    return run("docker", "inspect", "--type", "container", "--format", template, name, check=False).strip()


def run(*command: str, check: bool = True) -> str:
    errors = subprocess.STDOUT if check else subprocess.DEVNULL
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    if check and done.returncode:
        raise FailureError(done.stdout.strip()[-2000:])
    return done.stdout


if __name__ == "__main__":
    try:
        main(json.loads(sys.stdin.readline()))
    except FailureError as failure:
        sys.exit(str(failure))
