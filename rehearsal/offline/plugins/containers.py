"""docker.Container on an engine: what the official plugin sends, what it reads back, and what it never does.

Never read back: environment, labels, uploads, volumes. Never updated: healthcheck, tmpfs, init, CPU periods: a change
of those is shown, and does not arrive.
"""

import io
import tarfile
import threading
import time
from base64 import b64decode
from decimal import Decimal
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins import durations
from rehearsal.offline.plugins.command import stoppable
from rehearsal.offline.plugins.engines import ask
from rehearsal.offline.plugins.kept import Kept, Subject, bare
from rehearsal.offline.plugins.objects import as_labels, ensure_image, refreshed, set_values
from rehearsal.offline.plugins.refusal import Partial, Refusal, Upstream
from rehearsal.offline.plugins.wire import UNKNOWN, Found, Sides, Values, plain

# Property, where it is in the engine's JSON ("/" for the host's half), and what one unit of it is there.
_PLAIN = {
    "hostname": "Hostname",
    "domainname": "Domainname",
    "tty": "Tty",
    "stdinOpen": "OpenStdin",
    "user": "User",
    "stopSignal": "StopSignal",
    "stopTimeout": "StopTimeout",
    "command": "Cmd",
    "entrypoints": "Entrypoint",
    "workingDir": "WorkingDir",
    "privileged": "/Privileged",
    "publishAllPorts": "/PublishAllPorts",
    "runtime": "/Runtime",
    "rm": "/AutoRemove",
    "readOnly": "/ReadonlyRootfs",
    "tmpfs": "/Tmpfs",
    "dns": "/Dns",
    "dnsOpts": "/DnsOptions",
    "dnsSearches": "/DnsSearch",
    "securityOpts": "/SecurityOpt",
    "init": "/Init",
    "cpuShares": "/CpuShares",
    "cpuSet": "/CpusetCpus",
    "networkMode": "/NetworkMode",
    "ipcMode": "/IpcMode",
    "usernsMode": "/UsernsMode",
    "sysctls": "/Sysctls",
    "groupAdds": "/GroupAdd",
    "storageOpts": "/StorageOpt",
    "memory": "/Memory",
    "memoryReservation": "/MemoryReservation",
    "memorySwap": "/MemorySwap",
    "shmSize": "/ShmSize",
}
_MEGABYTES = ("memory", "memoryReservation", "memorySwap", "shmSize")
_WRITTEN_ONLY = {"cgroupParent": "/CgroupParent", "cpuPeriod": "/CpuPeriod", "cpuQuota": "/CpuQuota"}
_WRITTEN_ONLY |= {"pidMode": "/PidMode", "envs": "Env"}
_MOUNT = {"target": "Target", "source": "Source", "type": "Type", "readOnly": "ReadOnly"}
_ULIMIT = {"name": "Name", "soft": "Soft", "hard": "Hard"}
_DEVICE = {"hostPath": "PathOnHost", "containerPath": "PathInContainer", "permissions": "CgroupPermissions"}
_NETWORK = {
    "ipAddress": "IPAddress",
    "ipPrefixLength": "IPPrefixLen",
    "gateway": "Gateway",
    "macAddress": "MacAddress",
    "globalIpv6Address": "GlobalIPv6Address",
    "globalIpv6PrefixLength": "GlobalIPv6PrefixLen",
    "ipv6Gateway": "IPv6Gateway",
}
_HEALTH = ("interval", "timeout", "startPeriod", "startInterval")
_UPDATED = ("restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "cpuSet", "memorySwap")
_MIB = 1 << 20


def _named(values: Values, names: dict[str, str]) -> Values:
    return {theirs: values[ours] for ours, theirs in names.items() if values.get(ours) is not None}


def _ours(raw: Values, names: dict[str, str]) -> Values:
    return {ours: raw[theirs] for ours, theirs in names.items() if theirs in raw}


def description(given: Values) -> Values:
    """Write the inputs as the engine takes them."""
    config: Values = {"Image": given["image"]}
    host: Values = {"RestartPolicy": _restart(given), "Init": bool(given.get("init"))}
    for name, place in {**_PLAIN, **_WRITTEN_ONLY}.items():
        if given.get(name) not in (None, "", [], {}, 0, False):
            scale = _MIB if name in _MEGABYTES and given[name] > 0 else 1
            (host if place[0] == "/" else config)[place.lstrip("/")] = given[name] * scale if scale > 1 else given[name]
    if given.get("labels"):
        config["Labels"] = as_labels(given["labels"])
    config |= _health(given.get("healthcheck") or {})
    host |= _host_lists(given) | _ports(given.get("ports") or [], config)
    return {**config, "HostConfig": host}


def _restart(given: Values) -> Values:
    return {"Name": given.get("restart") or "no", "MaximumRetryCount": given.get("maxRetryCount", 0)}


def _health(given: Values) -> Values:
    if not given:
        return {}
    spans = {name[0].upper() + name[1:]: durations.read(given[name]) for name in _HEALTH if given.get(name)}
    return {"Healthcheck": {"Test": given["tests"], "Retries": given.get("retries", 0), **spans}}


def _host_lists(given: Values) -> Values:
    known: Values = {
        "Mounts": [_mount(mount) for mount in given.get("mounts") or []],
        "Ulimits": [_named(limit, _ULIMIT) for limit in given.get("ulimits") or []],
        "Devices": [{"CgroupPermissions": "rwm", **_named(each, _DEVICE)} for each in given.get("devices") or []],
        "ExtraHosts": [f"{each['host']}:{each['ip']}" for each in given.get("hosts") or []],
        "Binds": [_bind(volume) for volume in given.get("volumes") or []],
        "CapAdd": (given.get("capabilities") or {}).get("adds"),
        "CapDrop": (given.get("capabilities") or {}).get("drops"),
    }
    found = {key: value for key, value in known.items() if value}
    if given.get("cpus"):
        found["NanoCpus"] = int(Decimal(given["cpus"]) * 10**9)
    if given.get("logDriver") or given.get("logOpts"):
        found["LogConfig"] = {"Type": given.get("logDriver", ""), "Config": given.get("logOpts") or {}}
    return found


def _mount(given: Values) -> Values:
    mount = _named(given, _MOUNT)
    if given.get("bindOptions"):
        mount["BindOptions"] = {"Propagation": given["bindOptions"].get("propagation", "")}
    if options := given.get("volumeOptions"):
        driver = {"Name": options.get("driverName", ""), "Options": options.get("driverOptions") or {}}
        mount["VolumeOptions"] = {
            "NoCopy": bool(options.get("noCopy")),
            "Labels": as_labels(options.get("labels") or []),
            **({"DriverConfig": driver} if driver["Name"] else {}),
        }
    if options := given.get("tmpfsOptions"):
        mount["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes", 0), "Mode": options.get("mode", 0)}
    return mount


def _bind(given: Values) -> str:
    source = given.get("hostPath") or given.get("volumeName") or ""
    return f"{source}:{given['containerPath']}:{'ro' if given.get('readOnly') else 'rw'}"


def _ports(ports: list[Values], config: Values) -> Values:
    bindings: dict[str, list[Values]] = {}
    for port in ports:
        one = {"HostPort": str(port.get("external", 0)), "HostIp": port.get("ip", "")}
        bindings.setdefault(f"{port['internal']}/{port.get('protocol', 'tcp')}", []).append(one)
    if bindings:
        config["ExposedPorts"] = {key: {} for key in bindings}
    return {"PortBindings": bindings} if bindings else {}


def found_there(raw: Values, given: Values) -> Values:
    """Read a container back. Empty is unset, unless the program has set it."""
    config, host = raw["Config"], raw["HostConfig"]
    seen: Values = {"id": raw["Id"], "name": raw["Name"].lstrip("/"), "restart": host["RestartPolicy"]["Name"]}
    seen["image"] = raw["Image"] if given["image"].startswith("sha256:") else config["Image"]
    seen["maxRetryCount"] = host["RestartPolicy"]["MaximumRetryCount"]
    for name, place in _PLAIN.items():
        value = (host if place[0] == "/" else config).get(place.lstrip("/"))
        seen[name] = value // _MIB if name in _MEGABYTES and value and value > 0 else value
    seen |= {"logDriver": host["LogConfig"]["Type"], "logOpts": host["LogConfig"]["Config"]}
    if not given.get("logOpts"):
        del seen["logOpts"]
    seen |= _lists_there(raw, given) | _state_there(raw, given)
    if config.get("Healthcheck"):
        seen["healthcheck"] = _health_there(config["Healthcheck"])
    return set_values(seen, given)


def _lists_there(raw: Values, given: Values) -> Values:
    host = raw["HostConfig"]
    hosts = [dict(zip(("host", "ip"), each.split(":", 1), strict=True)) for each in host.get("ExtraHosts") or []]
    seen: Values = {
        "mounts": _as_given([_mount_there(mount) for mount in host.get("Mounts") or []], given.get("mounts")),
        "hosts": _as_given(hosts, given.get("hosts")),
    }
    if given.get("ulimits"):
        limits = [_ours(limit, _ULIMIT) for limit in host.get("Ulimits") or []]
        seen["ulimits"] = _as_given(limits, given["ulimits"])
    if host.get("CapAdd") or host.get("CapDrop"):
        seen["capabilities"] = {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []}
    if host.get("NanoCpus"):
        seen["cpus"] = f"{Decimal(host['NanoCpus']) / 10**9:f}"
    return seen


def _as_given(seen: list[Values], given: list[Values] | None) -> list[Values]:
    """Write what is there as the program does: a set has no order, and what is not given is its default."""
    left, known = list(seen), []
    for wanted in bare(given or []):
        same = [each for each in left if _covers(each, wanted)]
        if same:
            left.remove(same[0])
            known.append(wanted)
    return known + left


def _covers(seen: Any, wanted: Any) -> bool:
    if isinstance(seen, dict) and isinstance(wanted, dict):
        return all(_covers(seen.get(key, value), value) for key, value in wanted.items())
    return bool(seen == wanted)


def _mount_there(raw: Values) -> Values:
    mount = {"source": "", "readOnly": False, **_ours(raw, _MOUNT)}
    if "BindOptions" in raw:
        mount["bindOptions"] = {"propagation": raw["BindOptions"].get("Propagation", "")}
    if options := raw.get("TmpfsOptions"):
        mount["tmpfsOptions"] = {"sizeBytes": options.get("SizeBytes", 0), "mode": options.get("Mode", 0)}
    if "VolumeOptions" in raw:
        mount["volumeOptions"] = {"noCopy": raw["VolumeOptions"].get("NoCopy", False)}
    return mount


def _state_there(raw: Values, given: Values) -> Values:
    running, networks = raw["State"]["Running"], raw["NetworkSettings"].get("Networks") or {}
    seen: Values = {"networkDatas": [{"networkName": n, **_ours(each, _NETWORK)} for n, each in networks.items()]}
    if not running:
        seen["exitCode"] = raw["State"]["ExitCode"]
        seen |= {"mustRun": False} if given.get("mustRun") else {}  # shown as a change; the update starts it
    if given.get("ports") and (running or given.get("mustRun")):
        seen["ports"] = _ports_there(raw["NetworkSettings"].get("Ports") or {})
    return seen


def _ports_there(bindings: dict[str, Any]) -> list[Values]:
    keys = sorted(bindings, key=lambda key: (int(key.split("/")[0]), key))
    return [
        {"internal": int(port), "protocol": protocol, "external": int(one["HostPort"]), "ip": one["HostIp"]}
        for port, protocol, key in ((*key.split("/"), key) for key in keys)
        for one in bindings[key] or []
    ]


def _health_there(raw: Values) -> Values:
    spans = {name: durations.write(raw.get(name[0].upper() + name[1:], 0)) for name in _HEALTH}
    return {"tests": raw.get("Test") or [], "retries": raw.get("Retries", 0), **spans}


class Container(Kept):
    """docker.Container."""

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        given = bare(plain(inputs))
        ensure_image(
            subject, given["image"], given.get("platform"), f"Unable to create container with image {given['image']}: "
        )
        wanted, name, platform = description(given), given["name"], given.get("platform")
        made = ask(
            subject,
            "Unable to create container: ",
            lambda engine: engine.create_container_from_config(wanted, name, platform),
        )
        identity = str(made["Id"])
        try:
            self._set_up(subject, identity, given)
        except Refusal as refusal:
            raise Partial(identity, {**bare(inputs), "id": identity}, str(refusal)) from refusal
        return identity, self._there(subject, identity, given) or given

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        """One whose creation failed was never read back, so the next update replaces it."""
        there, wanted = super().sides(subject, state, old, new)
        return there, wanted if "networkDatas" in state else {"entrypoints": UNKNOWN, "networkDatas": UNKNOWN, **wanted}

    def _set_up(self, subject: Subject, identity: str, given: Values) -> None:
        if networks := given.get("networksAdvanced"):
            ask(subject, "", lambda engine: engine.disconnect_container_from_network(identity, "bridge"))
            for network in networks:
                self._join(subject, identity, network)
        for upload in given.get("uploads") or []:
            self._upload(subject, identity, _archive(upload, subject.session.folder))
        if given.get("start", True):
            ask(subject, "Unable to start container: ", lambda engine: engine.start(identity))
            if given.get("wait"):
                self._wait(subject, identity, given.get("waitTimeout", 60))
        if given.get("attach"):
            ask(subject, "Unable to wait container end of execution: ", lambda engine: engine.wait(identity))

    def _upload(self, subject: Subject, identity: str, archive: bytes) -> None:
        ask(subject, "Unable to upload volume content: ", lambda engine: engine.put_archive(identity, "/", archive))

    def _join(self, subject: Subject, identity: str, network: Values) -> None:
        options = {
            "aliases": network.get("aliases"),
            "ipv4_address": network.get("ipv4Address") or None,
            "ipv6_address": network.get("ipv6Address") or None,
        }
        what = f"Unable to connect to network '{network['name']}': "
        ask(subject, what, lambda engine: engine.connect_container_to_network(identity, network["name"], **options))

    def _wait(self, subject: Subject, identity: str, seconds: int) -> None:
        """Wait until it is healthy: one that has become unhealthy may still recover."""
        cancelled, end = threading.Event(), time.monotonic() + seconds
        with stoppable(cancelled.set):
            while time.monotonic() < end and not cancelled.is_set():
                state = ask(
                    subject, "error inspecting container state: ", lambda engine: engine.inspect_container(identity)
                )
                health = state["State"].get("Health")
                if not health:
                    raise Refusal(
                        "you have supplied a 'wait' argument, but the container does not have a healthcheck defined."
                        " Please remove the 'wait' argument or add a 'healthcheck' attribute"
                    )
                if health["Status"] == "healthy":
                    return
                cancelled.wait(1)
        raise Refusal("container failed to be in healthy state")

    def _there(self, subject: Subject, identity: str, given: Values) -> Values | None:
        known = ask(subject, "", lambda engine: engine.containers(all=True, filters={"id": identity}))
        if not known:
            return None
        raw = ask(subject, "", lambda engine: engine.inspect_container(identity))
        return {**given, **found_there(raw, given)}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        before = plain(state) or {"image": "", "platform": "linux"}
        there = self._there(subject, identity, before)
        return None if there is None else (there, refreshed(subject, inputs, there))

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        """Change what an engine can change in place; the rest is taken for done, as the official plugin does."""
        before, given = plain(old), bare(plain(inputs))
        if not preview:
            if given.get("mustRun") and not before.get("mustRun") and given.get("start", True):
                ask(subject, "Unable to start container: ", lambda engine: engine.start(identity))
            if any(before.get(name) != given.get(name) for name in _UPDATED):
                ask(
                    subject,
                    "Unable to update a container: ",
                    lambda engine: engine.update_container(identity, **_update(given)),
                )
        return {**self._stays(subject, old), **bare(inputs)}

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        given = plain(state)
        if not given.get("attach"):
            grace = int(given.get("destroyGraceSeconds") or 0)  # 0 kills it: the official plugin's default
            self._unless_gone(
                subject, f"Error stopping container {identity}: ", lambda engine: engine.stop(identity, grace)
            )
        volumes = bool(given.get("removeVolumes", True))
        self._unless_gone(
            subject,
            f"Error deleting container {identity}: ",
            lambda engine: engine.remove_container(identity, v=volumes, force=True),
        )

    def _unless_gone(self, subject: Subject, what: str, question: Any) -> None:
        try:
            ask(subject, what, question)
        except Upstream as refusal:
            if not any(text in str(refusal) for text in ("No such container", "is already in progress")):
                raise


def _update(given: Values) -> Values:
    sizes = {"mem_limit": "memory", "mem_reservation": "memoryReservation", "memswap_limit": "memorySwap"}
    wanted: Values = {
        theirs: given[ours] * _MIB if given[ours] > 0 else -1 for theirs, ours in sizes.items() if given.get(ours)
    }
    wanted |= {"cpu_shares": given["cpuShares"]} if given.get("cpuShares") else {}
    wanted |= {"cpuset_cpus": given["cpuSet"]} if given.get("cpuSet") else {}
    return {**wanted, "restart_policy": _restart(given)}


def _archive(upload: Values, folder: str) -> bytes:
    sources = {key: upload[key] for key in ("content", "contentBase64", "source") if upload.get(key)}
    if len(sources) != 1:
        amount = "one" if not sources else "only one"
        verb = "must" if not sources else "can"
        raise Refusal(f"error with upload content: {amount} of 'content', 'content_base64', or 'source' {verb} be set")
    ((kind, value),) = sources.items()
    if kind == "source":
        content = Path(folder, value).read_bytes()
    else:
        content = b64decode(value) if kind == "contentBase64" else value.encode()
    entry = tarfile.TarInfo(upload["file"])
    entry.mode = (
        int(upload["permissions"], 8) if upload.get("permissions") else 0o744 if upload.get("executable") else 0o644
    )
    entry.size, entry.mtime = len(content), int(time.time())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


ACTORS = {"docker:index/container:Container": Container()}
