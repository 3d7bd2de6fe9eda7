"""What nginx serves, changed on the host without a client noticing. Standard library only: it runs on the server.

A JSON document on standard input says what shall be; each configuration is a folder of its own under `generations`, and
`current` points to the one in force, so a change is one rename and the way back another one.

    prepare   the configuration itself; before there is an nginx it is only put in place and tested
    switch    who answers: the new set takes over when it has passed the gates, and the old one stands by for a while
    settle    after a failure: a change under way is stopped, what does not serve is removed, and what serves is told
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

from components.containers.onhost import gates, releases, workers
from components.containers.onhost.engine import (
    CommandError,
    FailureError,
    Sets,
    Wanted,
    addresses,
    names,
    process_of,
    remove,
    rolling,
    run,
    running,
    within,
)

LOCK_SECONDS = 300
KINDS = ("backends", "frontends")
SPARES = {kind: f"@spare-{kind}@" for kind in KINDS}
NOBODY = "server 127.0.0.1:1 down;"

Files = dict[str, str]


def main(wanted: Wanted) -> None:
    root = Path(wanted["root"])
    for folder in (root, root / "generations", root / "tls", root / "acme"):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if wanted["action"] == "settle":
        (root / gates.STOP).touch()
    with locked(root):
        # Whoever was to be stopped has gone.
        (root / gates.STOP).unlink(missing_ok=True)
        if wanted["action"] != "settle":
            self_signed(root / "tls", wanted)
        {"prepare": prepare, "switch": switch, "settle": settle}[wanted["action"]](root, wanted)
        sweep(root)


def prepare(root: Path, wanted: Wanted) -> None:
    """Who answers stays as it is, but for containers that are gone; before the first switch it is nobody."""
    before = current(root)
    serving = {name: before[name] for name in ("upstreams.conf", "serving.json") if name in before}
    files = {**wanted["files"], "upstreams.conf": upstreams(wanted, {}), **serving}
    put(root, {**files, "upstreams.conf": still_there(files["upstreams.conf"])}, wanted)


def switch(root: Path, wanted: Wanted) -> None:
    """A new set that does not pass a gate is removed again, and nothing else has changed."""
    before = current(root)
    old = serving(before)
    new: Sets = {kind: list(wanted[kind]) for kind in KINDS}
    fresh = {kind: [name for name in new[kind] if name not in old["sets"].get(kind, [])] for kind in KINDS}
    # One that was killed after its last step has not written it down.
    releases.note(root, old["release"])
    try:
        gates.become_healthy(root, fresh, wanted)
        gates.answer_well(fresh, wanted)
        take_over(root, before, old["sets"], new, wanted)
    except FailureError:
        remove(names(fresh))
        raise
    releases.note(root, wanted["release"])
    remove(set(rolling(wanted["labels"])) - {*names(new), *names(old["sets"])})
    print("serving: " + " ".join(names(new)))


def take_over(root: Path, before: Files, old: Sets, new: Sets, wanted: Wanted) -> None:
    """The old set stays behind the new one until that has served for `soak` seconds; a failure before leads back."""
    spares = {kind: [name for name in old.get(kind, []) if name not in new[kind] and running(name)] for kind in KINDS}
    told = {"sets": new, "release": wanted["release"]}
    after = {**before, "serving.json": json.dumps(told)}
    gates.must_run(new)
    master = process_of(wanted["container"])
    leading, changed = workers.workers(master), False
    if any(spares.values()):
        changed = put(root, {**after, "upstreams.conf": upstreams(wanted, spares)}, wanted)
        try:
            for _ in gates.watch(root, new, wanted):
                pass
        except FailureError:
            misled = workers.workers(master)
            if put(root, before, wanted):
                workers.drain(master, misled, wanted["drain"])
            raise
    if put(root, {**after, "upstreams.conf": upstreams(wanted, {})}, wanted) or changed:
        # Those that lead to the old set alone have had the soak to end in; the others only if somebody needed a spare.
        workers.drain(master, leading, wanted["drain"], addresses(names(spares), wanted["network"]))


def settle(root: Path, wanted: Wanted) -> None:
    """Without a configuration in force nobody knows who serves: then nothing is removed."""
    now = current(root)
    told = serving(now)
    if now:
        asked = {name for line in now["upstreams.conf"].splitlines() if (name := server(line))}
        remove(set(rolling(wanted["labels"])) - {*names(told["sets"]), *asked})
    print(json.dumps(told))


def serving(files: Files) -> dict[str, Any]:
    """Who serves, and which release that is."""
    told = json.loads(files.get("serving.json", "{}"))
    return {"sets": dict(told.get("sets", {})), "release": dict(told.get("release", {}))}


def upstreams(wanted: Wanted, spares: Sets) -> str:
    """The line of a spare is written once for each old container, or not at all."""
    lines: list[str] = []
    for line in wanted["files"]["upstreams.conf"].splitlines():
        kinds = [kind for kind, place in SPARES.items() if place in line]
        lines += [line.replace(SPARES[kind], name) for kind in kinds for name in spares.get(kind, [])]
        lines += [] if kinds else [line]
    return "\n".join([*lines, ""])


def still_there(text: str) -> str:
    """nginx does not start with a name that nobody has, and a container that is gone has none."""
    kept = [line for line in text.splitlines() if not (name := server(line)) or running(name)]
    blocks = "\n".join(kept).split("}")[:-1]
    return "".join(f"{block}}}" if "server " in block else f"{block}    {NOBODY}\n}}" for block in blocks) + "\n"


def server(line: str) -> str:
    found = re.match(r"\s*server ([^:]+):", line)
    return "" if found is None or NOBODY in line else found.group(1)


def put(root: Path, files: Files, wanted: Wanted) -> bool:
    """Tested by nginx itself in a container of its own, then in force; a refusal changes nothing. False: it was so."""
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / "generations" / name
    anew = write(folder, files)
    test(root, folder, wanted)
    before = os.readlink(root / "current") if (root / "current").is_symlink() else None
    if before == f"generations/{name}" and not anew:
        return False
    point(root, f"generations/{name}")
    master = process_of(wanted["container"])
    if not master:
        # Before the first start there is none; a switch, however, is for visitors.
        if wanted["action"] == "switch":
            raise FailureError("switch", f"{wanted['container']} is not running: nobody is served. `./infra up`")
        return False
    if before and not workers.reload(master):
        point(root, before)
        workers.signalled(master, signal.SIGHUP)
        raise FailureError(
            "switch", f"{wanted['container']} did not take the new configuration over; the one before is in force."
        )
    return True


def test(root: Path, folder: Path, wanted: Wanted) -> None:
    inside = f"/etc/stack/generations/{folder.name}/nginx.conf"
    fence = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", wanted["user"]]
    owner = "uid={},gid={}".format(*wanted["user"].split(":"))
    memory = [part for path in ("/var/cache/nginx", "/var/run") for part in ("--tmpfs", f"{path}:{owner}")]
    place = ["--network", wanted["network"], "--volume", f"{root}:/etc/stack:ro", "--entrypoint", "nginx"]
    try:
        run("docker", "run", "--rm", *fence, *memory, *place, wanted["image"], "-t", "-q", "-c", inside)
    except CommandError as refusal:
        raise FailureError("switch", f"nginx refuses the new configuration; nothing was changed. {refusal}") from None


def current(root: Path) -> Files:
    folder = root / "current"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def write(folder: Path, files: Files) -> bool:
    """A folder that is there is complete: it is made under another name. One that was changed by hand is made anew."""
    if folder.exists() and {path.name: path.read_text() for path in folder.iterdir()} == files:
        return False
    partial = folder.with_name(f".{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o755)
    for name, text in files.items():
        (partial / name).write_text(text)
        (partial / name).chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return True


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
        raise FailureError(
            "switch", f"another run has held {root}/.lock for {LOCK_SECONDS} s: wait for it, or see what it does."
        )
    return handle


def taken(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    try:
        main(json.loads(sys.stdin.readline()))
    except (FailureError, CommandError) as failure:
        sys.exit(str(failure))
