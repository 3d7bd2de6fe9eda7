"""Containers that are found broken, start again, stop in order, and run the image that was meant."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from .containers import spec
from .frame import LOW, MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, is_true, known
from .kinds import BUILT_IMAGE, CONTAINER, REGISTRY_IMAGE, REMOTE_IMAGE, SERVICE

# The same subject as isolation, in a file of its own.
book = Book("containers")

FLOATING = Pattern(r"(^|[-_.])(latest|stable|main|master|edge|nightly|dev|develop|current)$")
DIGEST = Pattern(r"@sha256:[0-9a-f]{64}$|^sha256:[0-9a-f]+$")
ENDLESS = ("json-file", "local")


@book.rule(
    "health-check",
    [CONTAINER, SERVICE],
    "Deploys wait for health; a container without a check is never known to be broken.",
    "Set healthcheck.tests.",
    "CIS Docker 5.27",
    "CIS Docker 4.6",
    "KICS 698ed579",
    "Trivy DS-0026",
    "CKV_DOCKER_2",
)
def has_no_health_check(resource: Resource) -> Iterator[Finding]:
    tests = resource.read(f"{spec(resource)}healthcheck.tests", default=[])
    first = resource.read(f"{spec(resource)}healthcheck.tests.0", default="NONE") if known(tests) else UNJUDGED
    if first == "NONE":
        yield Finding(f"{spec(resource)}healthcheck", "nobody would notice that it hangs.")


@book.rule(
    "restart",
    [CONTAINER],
    "After a crash or a reboot of the host a container without a restart policy stays down until somebody notices.",
    "Set restart to unless-stopped, or to on-failure with maxRetryCount of at most 5.",
    "CIS Docker 5.15",
    "KICS 2fc99041",
    severity=MEDIUM,
)
def stays_down(resource: Resource) -> Iterator[Finding]:
    if ends_by_itself(resource):
        return
    policy = resource.read("restart", default="no")
    if policy == "no":
        yield Finding("restart", "it would stay down after a crash or a reboot.")
    retries = resource.number("maxRetryCount", default=0) if policy == "on-failure" else 1
    if known(retries) and not 0 < retries <= 5:
        yield Finding("maxRetryCount", "it would be started again without end, whatever is wrong.")


def ends_by_itself(resource: Resource) -> bool:
    """Declared with start false or attached to, or with mustRun false where nobody asks whether it is well."""
    if resource.read("start") is False or is_true(resource.read("attach")):
        return True
    return resource.read("mustRun") is False and resource.read("healthcheck.tests", default=[]) == []


@book.rule(
    "graceful-stop",
    [CONTAINER],
    "The provider kills a container at once unless it is told to wait: requests are cut off, databases recover.",
    "Set destroyGraceSeconds to longer than the service needs to end in order.",
    "own rule",
    severity=MEDIUM,
)
def is_killed(resource: Resource) -> Iterator[Finding]:
    # The provider's default is 0: SIGKILL.
    grace = resource.number("destroyGraceSeconds", default=0)
    if known(grace) and grace < 1:
        yield Finding("destroyGraceSeconds", "it would be killed without time to finish.")


@book.rule(
    "image-pinned",
    [CONTAINER, SERVICE, REMOTE_IMAGE],
    "A floating tag runs whatever was pushed last: nobody reviewed it, and a rollback may bring something else.",
    "Name a version, or better the digest (name@sha256:...).",
    "CIS Docker 5.28",
    "hadolint DL3006",
    "hadolint DL3007",
    "CKV_DOCKER_7",
    severity=MEDIUM,
)
def image_floats(resource: Resource) -> Iterator[Finding]:
    path = "name" if resource.type == REMOTE_IMAGE else f"{spec(resource)}image"
    image = resource.text(path)
    if image is None or DIGEST.search(image) or resource.read("build") is not None:
        return
    tag = image.rpartition("/")[2].partition(":")[2]
    if not tag or FLOATING.search(tag):
        yield Finding(path, "the image is whatever was pushed under that name last.")


@book.rule(
    "registry-verified",
    [REGISTRY_IMAGE],
    "Without verification anyone on the way to the registry hands out the image.",
    "Remove insecureSkipVerify; give the registry a certificate that its clients trust.",
    "CIS Docker 2.5",
)
def registry_is_not_verified(resource: Resource) -> Iterator[Finding]:
    if resource.read("insecureSkipVerify", default=False) is True:
        yield Finding("insecureSkipVerify", "the registry's certificate would not be checked.")


@book.rule(
    "build-host",
    [REMOTE_IMAGE, BUILT_IMAGE, REGISTRY_IMAGE],
    "A build in the host's network, or without confinement, runs strangers' install scripts on the host.",
    "Remove networkMode and securityOpts from build.",
    "CIS Docker 5.10",
    severity=MEDIUM,
)
def build_reaches_the_host(resource: Resource) -> Iterator[Finding]:
    for name in ("networkMode", "network"):
        if resource.read(f"build.{name}") == "host":
            yield Finding(f"build.{name}", "the build would run in the host's network.")
    for path, option in resource.items("build.securityOpts"):
        if "unconfined" in str(option):
            yield Finding(path, "the build would run without confinement.")


def rotate_logs(props: MutableMapping[str, Any]) -> bool:
    if props.get("logDriver") or props.get("logOpts"):
        return False
    props["logDriver"] = "json-file"
    props["logOpts"] = {"max-size": "10m", "max-file": "5"}
    return True


@book.rule(
    "log-rotation",
    [CONTAINER, SERVICE],
    "Docker's default log driver never deletes anything.",
    "Set logDriver to json-file and logOpts.max-size and max-file.",
    "CIS Docker 2.13",
    remediate=rotate_logs,
)
def logs_without_end(resource: Resource) -> Iterator[Finding]:
    service = resource.type == SERVICE
    driver = resource.read("taskSpec.logDriver.name" if service else "logDriver", default="json-file")
    path = "taskSpec.logDriver.options" if service else "logOpts"
    # The local driver rotates by itself; others hand their lines on.
    if driver == "json-file" and resource.read(f"{path}.max-size") is None:
        yield Finding(path, "its log would grow until the disk is full.")
    if driver == "none":
        yield Finding(path.rpartition(".")[0] or "logDriver", "nothing that it says would be kept.")


@book.rule(
    "update-order",
    [SERVICE],
    "A service that goes on with a release that fails takes every task down, one after the other.",
    "Set updateConfig.failureAction to rollback, and order to start-first.",
    "own rule",
    severity=LOW,
)
def update_interrupts(resource: Resource) -> Iterator[Finding]:
    if resource.read("updateConfig.failureAction", default="pause") == "continue":
        yield Finding("updateConfig.failureAction", "a release that fails would be rolled out to every task.")


RULES = book.rules
