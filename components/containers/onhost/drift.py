#!/usr/bin/env python3
"""What runs is compared with what `up` has made. Standard library only: it runs on the server, as root.

    record    what has been made, as a document on standard input (components/containers/record.py)
    show      a line for each difference; nothing is touched
    repair    puts right what needs no other container; services named after it may be stopped for that

A line ends with what is left for `up`, where that has to make a container anew or to write a file again.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

RECORD = Path(__file__).resolve().parent.parent / "containers.json"
# A container that came up with the machine, or with its engine, was not restarted by anybody.
MINUTES = 5 * 60
# So long may a container that removes itself (a migration, a backup, a test) stay in the network.
PASSING = 3600
GONE = "No such container"
# What `docker update` sets back; everything else makes another container.
UPDATES = {"memory": "--memory", "memory_swap": "--memory-swap", "restart": "--restart"}

Facts = dict[str, Any]


def main(arguments: list[str]) -> None:
    verb = arguments[0] if arguments else ""
    if verb == "record":
        record(json.loads(sys.stdin.read()))
    elif verb == "show":
        print("".join(f"{line}\n" for line in show(load())), end="")
    elif verb == "repair":
        repair(load(), arguments[1:])
    else:
        sys.exit("usage: drift record | show | repair [SERVICE ...]")


def load() -> Facts:
    return dict(json.loads(RECORD.read_text())) if RECORD.exists() else {}


def record(document: Facts) -> None:
    there = containers()
    for each in document["containers"]:
        each["started"] = there[each["id"]]["State"]["StartedAt"] if each["id"] in there else ""
    temporary = RECORD.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file, indent=1, sort_keys=True)
    temporary.replace(RECORD)


def show(document: Facts) -> list[str]:
    """Nothing before the first `up`."""
    if not document:
        return []
    there = containers()
    lines = [line for each in document["containers"] for line in of_container(each, there)]
    lines += strangers(document, there)
    lines += [line for each in document["files"] for line in of_file(each)]
    return [*lines, *of_nginx(document["nginx"])]


def containers() -> dict[str, Facts]:
    """All of them by id, whatever they are doing."""
    ids = run("docker", "ps", "--all", "--quiet", "--no-trunc").split()
    # One that has removed itself since is left out, and Docker calls that a failure.
    found = json.loads(run("docker", "inspect", "--type", "container", *ids, bearing=GONE)) if ids else []
    return {each["Id"]: each for each in found}


def of_container(made: Facts, there: dict[str, Facts]) -> Iterator[str]:
    name, anew = made["name"], f"(`up` makes it anew: {made['resource']})"
    raw = there.get(made["id"])
    if raw is None:
        other = impostor(made, there)
        yield f"{name}: {'is another container than `up` made' if other else 'is gone'} {anew}"
        return
    for field, is_now, wanted in compared(made, raw):
        yield f"{name}: {field} is {is_now} instead of {wanted}" + ("" if in_place(field) else f" {anew}")
    if raw["State"]["Status"] == "running" and restarted(made, raw):
        yield f"{name}: was started again by hand, at {raw['State']['StartedAt'][:19]}"


def compared(made: Facts, raw: Facts) -> Iterator[tuple[str, str, str]]:
    image = json.loads(run("docker", "image", "inspect", raw["Image"]))[0]["Config"] or {}
    now, wanted = seen(raw), filled(made["wanted"], image)
    for field in sorted(wanted):
        yield from differences(field, now.get(field), wanted[field])


def in_place(field: str) -> bool:
    return field in ("state", "cpus", *UPDATES) or field.startswith("networks")


def differences(path: str, now: Any, wanted: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(now, dict) and isinstance(wanted, dict):
        for key in sorted({*now, *wanted}):
            yield from differences(f"{path} {key}", now.get(key), wanted.get(key))
    elif now != wanted:
        yield path, shown(now), shown(wanted)


def shown(value: Any) -> str:
    return (
        "unset" if value in (None, "", [], {}) else " ".join(map(str, value)) if isinstance(value, list) else str(value)
    )


def seen(raw: Facts) -> Facts:
    """A container in the words of the record."""
    config, host, health = raw["Config"], raw["HostConfig"], raw["Config"].get("Healthcheck") or {}
    return {
        "state": "running" if raw["State"]["Status"] == "running" else raw["State"]["Status"],
        "image": raw["Image"],
        "user": config["User"],
        "entrypoint": config["Entrypoint"] or [],
        "command": config["Cmd"] or [],
        "environment": dict(each.split("=", 1) for each in config["Env"] or []),
        "labels": config["Labels"] or {},
        "healthcheck": {
            "test": health.get("Test") or [],
            **{name.lower(): health.get(name, 0) for name in ("Interval", "Timeout", "Retries", "StartPeriod")},
        },
        "cpus": host["NanoCpus"] / 1e9,
        "memory": host["Memory"],
        "memory_swap": host["MemorySwap"],
        "shared_memory": host["ShmSize"],
        "other_limits": other_limits(host),
        "slice": host["CgroupParent"],
        "restart": host["RestartPolicy"]["Name"],
        "log": {"driver": host["LogConfig"]["Type"], **host["LogConfig"]["Config"]},
        "read_only": host["ReadonlyRootfs"],
        "privileged": host["Privileged"],
        "capabilities": {"added": host["CapAdd"] or [], "dropped": host["CapDrop"] or []},
        "security": host["SecurityOpt"] or [],
        "memory_folders": host.get("Tmpfs") or {},
        "mounts": sorted([*map(mount, host.get("Mounts") or []), *(host.get("Binds") or [])]),
        "ports": published(host["PortBindings"] or {}),
        "networks": dict.fromkeys(raw["NetworkSettings"]["Networks"], "joined"),
        "stop": {"signal": config.get("StopSignal"), "seconds": config.get("StopTimeout")},
    }


def other_limits(host: Facts) -> Facts:
    """Those that nobody sets here, when somebody has."""
    names = ("CpuShares", "CpusetCpus", "CpuPeriod", "CpuQuota", "MemoryReservation", "BlkioWeight")
    # The engine halves the memory by itself into no reservation, and keeps -1 for no limit of processes.
    found = {name: host.get(name) for name in names if host.get(name)}
    return {**found, **({"PidsLimit": host["PidsLimit"]} if (host.get("PidsLimit") or 0) > 0 else {})}


def mount(raw: Facts) -> str:
    return f"{raw['Source']}:{raw['Target']}" + (":ro" if raw.get("ReadOnly") else "")


def published(bindings: Facts) -> list[str]:
    return sorted(
        f"{each['HostIp']}:{each['HostPort']}->{inside}" for inside, given in bindings.items() for each in given or []
    )


def filled(wanted: Facts, image: Facts) -> Facts:
    """What the program leaves to the image comes from there."""
    own = dict(each.split("=", 1) for each in image.get("Env") or [])
    return {
        **wanted,
        "entrypoint": wanted["entrypoint"] or image.get("Entrypoint") or [],
        # An entry point of one's own leaves the image's command out.
        "command": wanted["command"] or ([] if wanted["entrypoint"] else image.get("Cmd") or []),
        "environment": {**own, **wanted["environment"]},
        "labels": {**(image.get("Labels") or {}), **wanted["labels"]},
    }


def restarted(made: Facts, raw: Facts) -> bool:
    if not made.get("started") or raw["State"]["StartedAt"] == made["started"] or raw["RestartCount"]:
        return False
    began = moment(raw["State"]["StartedAt"])
    return all(not 0 <= began - each <= MINUTES for each in (booted(), engine_started()))


def moment(text: str) -> float:
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


def booted() -> float:
    rows = Path("/proc/stat").read_text().splitlines()
    return float(next(row.split()[1] for row in rows if row.startswith("btime")))


def engine_started() -> float:
    pid = Path("/run/docker.pid")
    return pid.stat().st_mtime if pid.exists() else 0.0


def impostor(made: Facts, there: dict[str, Facts]) -> Facts | None:
    return next((raw for raw in there.values() if raw["Name"] == f"/{made['name']}" and raw["Id"] != made["id"]), None)


def strangers(document: Facts, there: dict[str, Facts]) -> Iterator[str]:
    """Whoever else is in the network of the product, or goes by a name like its containers'."""
    ours = {each["id"] for each in document["containers"]}
    names = {f"/{each['name']}" for each in document["containers"]}
    for raw in there.values():
        if raw["Id"] in ours or raw["Name"] in names or passing(raw):
            continue
        name = raw["Name"].lstrip("/")
        if document["network"] in raw["NetworkSettings"]["Networks"]:
            yield f"{name}: is in {document['network']}, and no setting names it"
        elif name.startswith(document["prefix"]):
            yield f"{name}: is called like a container of the product, and no setting names it"


def passing(raw: Facts) -> bool:
    if not raw["HostConfig"]["AutoRemove"]:
        return False
    return datetime.now(timezone.utc).timestamp() - moment(raw["Created"]) < PASSING


def of_file(made: Facts) -> Iterator[str]:
    path, again = Path(made["path"]), f"(`up` writes it again: {made['resource']})"
    if not path.exists():
        yield f"{path}: is gone {again}"
        return
    if hashlib.sha256(path.read_bytes()).hexdigest() != made["sha256"]:
        yield f"{path}: was changed {again}"
    found = path.stat()
    if (found.st_mode & 0o7777, found.st_uid) != (0o400, made["uid"]):
        yield f"{path}: is {found.st_mode & 0o7777:04o} of {found.st_uid} instead of 0400 of {made['uid']}"


def of_nginx(made: Facts) -> Iterator[str]:
    """A configuration is called by its fingerprint."""
    folder, again = Path(made["folder"]) / "current", f"(`up` writes it again: {' '.join(made['resources'])})"
    if not folder.exists():
        yield f"{folder}: is gone {again}"
        return
    files = {path.name: path.read_text() for path in folder.iterdir()}
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
    if name != folder.resolve().name:
        yield f"{folder}: was changed by hand {again}"


def repair(document: Facts, may_stop: list[str]) -> None:
    there = containers() if document else {}
    for made in document.get("containers", []):
        raw = there.get(made["id"])
        if raw is None:
            set_aside(made, there, may_stop)
        else:
            put_right(made, raw, document["network"])
    for raw in there.values():
        leave_network(document, raw)
    for each in document.get("files", []):
        path = Path(each["path"])
        if path.exists():
            os.chown(path, each["uid"], -1)
            path.chmod(0o400)
    if document:
        record(document)


def put_right(made: Facts, raw: Facts, network: str) -> None:
    name, wanted = made["id"], made["wanted"]
    fields = [field for field, _, _ in compared(made, raw)]
    flags = [word for field, flag in UPDATES.items() if field in fields for word in (flag, str(wanted[field]))]
    flags += ["--cpus", str(wanted["cpus"])] if "cpus" in fields else []
    if flags:
        run("docker", "update", *flags, name)
    joined = raw["NetworkSettings"]["Networks"]
    for other in joined:
        if other != network:
            run("docker", "network", "disconnect", "--force", other, name)
    if network not in joined:
        run("docker", "network", "connect", "--alias", made["service"], network, name)
    if raw["State"]["Status"] == "paused":
        run("docker", "unpause", name)
    elif raw["State"]["Status"] in ("exited", "created"):
        run("docker", "start", name)


def set_aside(made: Facts, there: dict[str, Facts], may_stop: list[str]) -> None:
    """Somebody's container under the name of ours: stopped and renamed, and never removed."""
    other = impostor(made, there)
    if other is None or (other["State"]["Running"] and made["service"] not in may_stop):
        return
    run("docker", "stop", "--time", "120", other["Id"])
    run("docker", "rename", other["Id"], f"set-aside-{other['Id'][:12]}-{made['name']}")


def leave_network(document: Facts, raw: Facts) -> None:
    ours = {each["id"] for each in document["containers"]}
    if raw["Id"] not in ours and document["network"] in raw["NetworkSettings"]["Networks"] and not passing(raw):
        run("docker", "network", "disconnect", "--force", document["network"], raw["Id"])


def run(*command: str, bearing: str = "") -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and not (bearing and bearing in done.stderr):
        sys.exit(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()[-400:]}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
