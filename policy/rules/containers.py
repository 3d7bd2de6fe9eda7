"""A container that is broken into stays a container."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from .frame import LOW, MEDIUM, ON_REQUEST, UNJUDGED, Book, Finding, Pattern, Resource, known, must_be
from .kinds import CONTAINER, DOCKER_PLUGIN, NETWORK, SERVICE

book = Book("containers")

SENSITIVE_PATHS = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var/lib/docker")
# Directories below sensitive ones that hold what a service legitimately needs.
ALLOWED_PATHS = ("/etc/letsencrypt", "/etc/neurmatic", "/etc/localtime", "/etc/timezone")
SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
# Each of these is root on the host, or a step away from it.
DANGEROUS_CAPABILITIES = {
    "ALL",
    "AUDIT_CONTROL",
    "BPF",
    "DAC_READ_SEARCH",
    "MAC_ADMIN",
    "NET_ADMIN",
    "PERFMON",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_TIME",
}
SAFE_SYSCTLS = ("net.", "fs.mqueue.", "kernel.msg", "kernel.sem", "kernel.shm")
# An empty user is the image's own, and most images say root.
ROOT = Pattern(r"^(root|0*)(:|$)")


def spec(resource: Resource) -> str:
    """Where a Swarm service keeps what a container has at its top."""
    return "taskSpec.containerSpec." if resource.type == SERVICE else ""


book.rule(
    "privileged",
    [CONTAINER],
    "Root in a privileged container is root on the host.",
    "Remove privileged; add the one capability that is needed instead.",
    "CIS Docker 5.5",
    "KICS ae5b6871",
)(must_be("privileged", [False], "the container would have every right of the host's root.", False))


@book.rule(
    "capabilities",
    [CONTAINER, SERVICE],
    "Docker's default capabilities let a broken-into container forge packets and change ownership.",
    "Set capabilities.drops to ALL and add back what the image needs.",
    "CIS Docker 5.4",
    "KICS ce76b7d0",
)
def keeps_capabilities(resource: Resource) -> Iterator[Finding]:
    path = f"{spec(resource)}capDrops" if resource.type == SERVICE else "capabilities.drops"
    names = [_capability(name) for _, name in resource.items(path)]
    if "ALL" not in names and resource.size(path) == len(names):
        yield Finding(path, "Docker's default capabilities would be kept.")


@book.rule(
    "added-capabilities",
    [CONTAINER, SERVICE],
    "Some capabilities are as good as root on the host: they load modules, mount disks and read any process.",
    "Leave it out; if the image truly needs one, write an exception that says why.",
    "CIS Docker 5.4",
    "KICS ce76b7d0",
)
def adds_dangerous_capabilities(resource: Resource) -> Iterator[Finding]:
    root = f"{spec(resource)}capAdds" if resource.type == SERVICE else "capabilities.adds"
    for path, name in resource.items(root):
        if _capability(name) in DANGEROUS_CAPABILITIES:
            yield Finding(path, "this capability is as good as root on the host.")


def _capability(name: object) -> str:
    return str(name).upper().removeprefix("CAP_")


def add_no_new_privileges(props: MutableMapping[str, Any]) -> bool:
    if props.get("securityOpts"):
        return False
    props["securityOpts"] = ["no-new-privileges:true"]
    return True


@book.rule(
    "no-new-privileges",
    [CONTAINER],
    "Without no-new-privileges a setuid binary in the image undoes the non-root user.",
    "Add no-new-privileges:true to securityOpts, and leave seccomp and AppArmor on.",
    "CIS Docker 5.26",
    "CIS Docker 5.2",
    "CIS Docker 5.22",
    "KICS 27fcc7d6",
    "KICS 404fde2c",
    "KICS 610e266e",
    remediate=add_no_new_privileges,
)
def may_gain_privileges(resource: Resource) -> Iterator[Finding]:
    given = [str(option).replace("=", ":") for _, option in resource.items("securityOpts")]
    if resource.size("securityOpts") == len(given) and not {"no-new-privileges", "no-new-privileges:true"} & set(given):
        yield Finding("securityOpts", "a setuid program inside could gain rights.")
    if any(name.endswith((":unconfined", "label:disable")) for name in given):
        yield Finding("securityOpts", "seccomp, AppArmor or SELinux would be switched off.")


book.rule(
    "read-only",
    [CONTAINER, SERVICE],
    "In a writable image an intruder installs tools and changes the program that the next request runs.",
    "Set readOnly to true, and give tmpfs or a mount for what has to be written.",
    "CIS Docker 5.13",
)(lambda resource: must_be(f"{spec(resource)}readOnly", [True], "its file system could be changed.", False)(resource))


@book.rule(
    "user",
    [CONTAINER, SERVICE],
    "Root in a container is one kernel bug away from root on the host, and owns every file that is mounted.",
    "Set user to a number other than 0, such as 1000:1000.",
    "CIS Docker 4.1",
    "Trivy DS-0002",
    "CKV_DOCKER_3",
    "CKV_DOCKER_8",
)
def runs_as_root(resource: Resource) -> Iterator[Finding]:
    path = f"{spec(resource)}user"
    # Absent, the image decides, and most images say root.
    user = resource.read(path, default="root")
    if known(user) and ROOT.match(str(user)):
        yield Finding(path, "it would run as root.")


@book.rule(
    "limits",
    [CONTAINER],
    "One container without limits takes the whole server down with it.",
    "Set memory (MB) and cpus.",
    "CIS Docker 5.11",
    "CIS Docker 5.12",
    "KICS bb9ac4f7",
    "KICS 6b610c50",
)
def is_unlimited(resource: Resource) -> Iterator[Finding]:
    for name, what in (("memory", "memory"), ("cpus", "CPU time")):
        value = resource.read(name)
        if value is None or value in (0, "0", "", "0.0"):
            yield Finding(name, f"it could take all {what} of the host.")


@book.rule(
    "service-limits",
    [SERVICE],
    "One service without limits takes whole nodes down with it.",
    "Set taskSpec.resources.limits.memoryBytes and nanoCpus.",
    "CIS Docker 5.11",
    "CIS Docker 5.12",
)
def service_is_unlimited(resource: Resource) -> Iterator[Finding]:
    for name, what in (("memoryBytes", "memory"), ("nanoCpus", "CPU time")):
        path = f"taskSpec.resources.limits.{name}"
        if resource.read(path) in (None, 0):
            yield Finding(path, f"it could take all {what} of a node.")


@book.rule(
    "swap",
    [CONTAINER],
    "Without its own limit a container may swap as much again as its memory, and everything else waits for the disk.",
    "Set memorySwap to the same as memory; then it never swaps.",
    "CIS Docker 5.11",
    severity=LOW,
)
def may_swap(resource: Resource) -> Iterator[Finding]:
    memory, swap = resource.read("memory"), resource.read("memorySwap")
    if memory not in (None, 0, UNJUDGED) and swap is not UNJUDGED and (swap is None or swap in (0, -1)):
        yield Finding("memorySwap", "it could swap beside its memory limit.")


@book.rule(
    "pids",
    [CONTAINER],
    "A fork bomb in one container stops every process of the host.",
    "Set an nproc ulimit, or cgroupParent to a slice with TasksMax; the provider has no pids limit of its own.",
    "CIS Docker 5.29",
    "KICS 221e0658",
    severity=MEDIUM,
    level=ON_REQUEST,
)
def may_fork_without_end(resource: Resource) -> Iterator[Finding]:
    limits = {resource.read(f"{path}.name") for path, _ in resource.items("ulimits")}
    if known(resource.read("ulimits")) and resource.read("cgroupParent") is None and not {"nproc", UNJUDGED} & limits:
        yield Finding("ulimits", "nothing would limit the number of its processes.")


@book.rule(
    "namespaces",
    [CONTAINER],
    "In the host's namespaces a container sees and signals the host's processes and reads their memory.",
    "Remove pidMode, ipcMode and usernsMode, or set them to private.",
    "CIS Docker 5.16",
    "CIS Docker 5.17",
    "CIS Docker 5.31",
    "KICS 4f31dd9f",
    "KICS baa3890f",
    "KICS 8af7162d",
)
def shares_a_namespace(resource: Resource) -> Iterator[Finding]:
    for name in ("pidMode", "ipcMode", "usernsMode", "cgroupnsMode"):
        if resource.read(name) in ("host", "shareable"):
            yield Finding(name, "the container would share this namespace with the host or with others.")


@book.rule(
    "host-paths",
    [CONTAINER, SERVICE],
    "The Docker socket or a system directory inside a container hands over the host.",
    "Mount a directory of the service's own, read-only where it can be.",
    "CIS Docker 5.6",
    "CIS Docker 5.32",
    "KICS d6355c88",
    "KICS 1c1325ff",
)
def mounts_the_host(resource: Resource) -> Iterator[Finding]:
    root = spec(resource)
    for path, _ in [*resource.items("volumes"), *resource.items(f"{root}mounts")]:
        for key in ("hostPath", "source"):
            source = resource.read(f"{path}.{key}")
            if isinstance(source, str) and _is_sensitive(source):
                yield Finding(f"{path}.{key}", "the container would reach into the host's system.")


def _is_sensitive(source: str) -> bool:
    if source.endswith(SOCKETS):
        return True
    if not source.startswith("/"):
        return False
    place = _plain(source)
    if any(place == allowed or place.startswith(f"{allowed}/") for allowed in ALLOWED_PATHS):
        return False
    return place == "/" or any(place == root or place.startswith(f"{root}/") for root in SENSITIVE_PATHS[1:])


def _plain(path: str) -> str:
    """/etc/letsencrypt/../shadow is /etc/shadow."""
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/" + "/".join(steps)


@book.rule(
    "writable-secrets",
    [CONTAINER, SERVICE],
    "A container that can write to its certificates and secrets can replace them for everyone who trusts them.",
    "Set readOnly on the mount.",
    "CIS Docker 5.13",
    severity=MEDIUM,
)
def secrets_are_writable(resource: Resource) -> Iterator[Finding]:
    root = spec(resource)
    for path, _ in [*resource.items("volumes"), *resource.items(f"{root}mounts")]:
        source = resource.text(f"{path}.hostPath") or resource.text(f"{path}.source") or ""
        held = "/secrets" in source or source.startswith("/etc/letsencrypt")
        if held and resource.read(f"{path}.readOnly", default=False) is False:
            yield Finding(f"{path}.readOnly", "certificates or secrets could be overwritten from inside.")


@book.rule(
    "propagation",
    [CONTAINER, SERVICE],
    "With shared propagation what a container mounts appears on the host.",
    "Remove bindOptions.propagation; private is the default.",
    "CIS Docker 5.20",
    "KICS baa452f0",
    severity=MEDIUM,
)
def mounts_spread(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items(f"{spec(resource)}mounts"):
        place = f"{path}.bindOptions.propagation"
        if resource.read(place) in ("shared", "rshared", "slave", "rslave"):
            yield Finding(place, "mounts made inside would appear on the host.")


@book.rule(
    "devices",
    [CONTAINER],
    "A device inside a container is read and written past every permission of the host.",
    "Leave devices, deviceRequests and gpus out; if hardware is needed, write an exception that says which.",
    "CIS Docker 5.18",
)
def has_devices(resource: Resource) -> Iterator[Finding]:
    for name in ("devices", "deviceRequests", "deviceCgroupRules", "gpus"):
        value = resource.read(name)
        if value not in (None, "", UNJUDGED) and (isinstance(value, str) or resource.size(name) != 0):
            yield Finding(name, "the container would reach the host's hardware.")


@book.rule(
    "groups",
    [CONTAINER],
    "The docker group is root by another name.",
    "Remove the group; give the one file that is needed instead.",
    "CIS Docker 4.1",
)
def joins_a_powerful_group(resource: Resource) -> Iterator[Finding]:
    for path, group in resource.items("groupAdds"):
        if str(group) in ("docker", "root", "0", "sudo", "wheel", "disk", "shadow"):
            yield Finding(path, "this group has the rights of the host's root.")


@book.rule(
    "sysctls",
    [CONTAINER],
    "Kernel settings that have no namespace would change the host and every other container.",
    "Set it on the host, where the host's own checks see it.",
    "CIS Docker 5.5",
    severity=MEDIUM,
)
def changes_the_kernel(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.entries("sysctls"):
        if not path.removeprefix("sysctls.").startswith(SAFE_SYSCTLS):
            yield Finding(path, "this kernel setting belongs to the whole host.")


@book.rule(
    "overlay-encryption",
    [NETWORK],
    "Between the nodes of a Swarm an overlay network is plain text.",
    "Set options.encrypted to true.",
    "CIS Docker 7.4",
    severity=MEDIUM,
)
def overlay_is_plain(resource: Resource) -> Iterator[Finding]:
    if resource.read("driver") == "overlay" and resource.read("options.encrypted") is None:
        yield Finding("options.encrypted", "traffic between nodes would not be encrypted.")


book.rule(
    "plugins",
    [DOCKER_PLUGIN],
    "An engine plugin runs as root on the host with whatever it asks for.",
    "List the permissions in grantPermissions instead.",
    "own rule",
)(must_be("grantAllPermissions", [False], "the plugin would get every permission that it asks for.", False))

RULES = book.rules
