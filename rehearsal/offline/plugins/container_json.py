"""docker.Container in the engine's JSON: what the official plugin sends, and what it reads back.

Never read back: environment, labels, uploads, volumes.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rehearsal.offline.plugins import durations
from rehearsal.offline.plugins.kept import bare
from rehearsal.offline.plugins.objects import as_labels, set_values
from rehearsal.offline.plugins.wire import Values

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
UPDATED = ("restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "cpuSet", "memorySwap")
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
        named = {"adds": host.get("CapAdd"), "drops": host.get("CapDrop")}
        seen["capabilities"] = {name: found for name, found in named.items() if found}
    if host.get("NanoCpus"):
        seen["cpus"] = _decimal(host["NanoCpus"])
    return seen


def _decimal(nanos: int) -> str:
    """Write CPUs as the official plugin does: 1 becomes "1.0", and 0.05 becomes "0.1"."""
    text = f"{Decimal(nanos) / 10**9:.9f}"
    return f"{Decimal(text).quantize(Decimal('0.1'), ROUND_HALF_UP)}" if text.count("0") == 9 else text.rstrip("0")


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


def changes(given: Values) -> Values:
    """Write what an update sends."""
    sizes = {"mem_limit": "memory", "mem_reservation": "memoryReservation", "memswap_limit": "memorySwap"}
    wanted: Values = {
        theirs: given[ours] * _MIB if given[ours] > 0 else -1 for theirs, ours in sizes.items() if given.get(ours)
    }
    wanted |= {"cpu_shares": given["cpuShares"]} if given.get("cpuShares") else {}
    wanted |= {"cpuset_cpus": given["cpuSet"]} if given.get("cpuSet") else {}
    return {**wanted, "restart_policy": _restart(given)}
