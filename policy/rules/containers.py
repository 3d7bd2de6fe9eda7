"""A container that is broken into stays a container."""

from __future__ import annotations

from collections.abc import Iterator

from .exposure import CONTAINER
from .frame import UNJUDGED, About, Finding, Resource, Rule

SENSITIVE_PATHS = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/sys", "/usr")
# Directories below sensitive ones that hold what a service legitimately needs.
ALLOWED_PATHS = ("/etc/letsencrypt", "/etc/neurmatic")
SOCKET = "docker.sock"


def runs_privileged(resource: Resource) -> Iterator[Finding]:
    if resource.read("privileged", default=False) is True:
        yield Finding("privileged", "the container would have every right of the host's root.")


def keeps_capabilities(resource: Resource) -> Iterator[Finding]:
    drops = resource.read("capabilities.drops", default=[])
    if drops is not UNJUDGED and "ALL" not in [str(name).upper().removeprefix("CAP_") for name in drops]:
        yield Finding("capabilities.drops", "Docker's default capabilities would be kept.")


def may_gain_privileges(resource: Resource) -> Iterator[Finding]:
    options = resource.read("securityOpts", default=[])
    if options is UNJUDGED:
        return
    names = [str(option).replace("=", ":") for option in options]
    if not any(name in ("no-new-privileges", "no-new-privileges:true") for name in names):
        yield Finding("securityOpts", "a setuid program inside could gain rights.")
    if any(name.endswith(":unconfined") for name in names):
        yield Finding("securityOpts", "seccomp or AppArmor would be switched off.")


def is_unlimited(resource: Resource) -> Iterator[Finding]:
    for name, what in (("memory", "memory"), ("cpus", "CPU time")):
        value = resource.read(name)
        if value is None or value in (0, "0", ""):
            yield Finding(name, f"it could take all {what} of the host.")


def mounts_the_host(resource: Resource) -> Iterator[Finding]:
    for path, _ in [*resource.items("volumes"), *resource.items("mounts")]:
        for key in ("hostPath", "source"):
            source = resource.read(f"{path}.{key}")
            if isinstance(source, str) and _is_sensitive(source):
                yield Finding(f"{path}.{key}", "the container would reach into the host's system.")


def _is_sensitive(source: str) -> bool:
    if source.endswith(SOCKET):
        return True
    place = source.rstrip("/") or "/"
    if any(place == allowed or place.startswith(f"{allowed}/") for allowed in ALLOWED_PATHS):
        return False
    return place == "/" or any(place == root or place.startswith(f"{root}/") for root in SENSITIVE_PATHS[1:])


def logs_without_end(resource: Resource) -> Iterator[Finding]:
    options = resource.read("logOpts", default={})
    if options is not UNJUDGED and "max-size" not in options and resource.read("logDriver") != "journald":
        yield Finding("logOpts", "its log would grow until the disk is full.")


def has_no_health_check(resource: Resource) -> Iterator[Finding]:
    tests = resource.read("healthcheck.tests", default=[])
    if tests is not UNJUDGED and (len(tests) == 0 or tests[0] == "NONE"):
        yield Finding("healthcheck", "nobody would notice that it hangs.")


def _rule(name: str, reason: str, fix: str, frameworks: tuple[str, ...], check: object) -> Rule:
    return Rule(About(f"containers-{name}", reason, fix, frameworks=frameworks), (CONTAINER,), check)  # type: ignore[arg-type]


RULES = [
    _rule(
        "privileged",
        "Root in a privileged container is root on the host.",
        "Remove privileged; add the one capability that is needed instead.",
        ("CIS Docker 5.5", "KICS ae5b6871"),
        runs_privileged,
    ),
    _rule(
        "capabilities",
        "Docker's default capabilities let a broken-into container forge packets and change ownership.",
        "Set capabilities.drops to ALL and add back what the image needs.",
        ("CIS Docker 5.4", "KICS ce76b7d0"),
        keeps_capabilities,
    ),
    _rule(
        "no-new-privileges",
        "Without no-new-privileges a setuid binary in the image undoes the non-root user.",
        "Add no-new-privileges:true to securityOpts, and leave seccomp and AppArmor on.",
        ("CIS Docker 5.26", "CIS Docker 5.22", "KICS 27fcc7d6"),
        may_gain_privileges,
    ),
    _rule(
        "limits",
        "One container without limits takes the whole server down with it.",
        "Set memory (MB) and cpus.",
        ("CIS Docker 5.11", "CIS Docker 5.12"),
        is_unlimited,
    ),
    _rule(
        "host-paths",
        "The Docker socket or a system directory inside a container hands over the host.",
        "Mount a directory of the service's own, read-only where it can be.",
        ("CIS Docker 5.6", "CIS Docker 5.32", "KICS d6355c88"),
        mounts_the_host,
    ),
    _rule(
        "log-rotation",
        "Docker's default log driver never deletes anything.",
        "Set logDriver to json-file and logOpts.max-size and max-file.",
        ("CIS Docker 2.13",),
        logs_without_end,
    ),
    _rule(
        "health-check",
        "Deploys wait for health; a container without a check is never known to be broken.",
        "Set healthcheck.tests.",
        ("CIS Docker 5.27", "KICS 698ed579"),
        has_no_health_check,
    ),
]
