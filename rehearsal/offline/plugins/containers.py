"""docker.Container on an engine: made, waited for, changed, removed.

Never updated: healthcheck, tmpfs, init, CPU periods: a change of those is shown, and does not arrive.
"""

import io
import tarfile
import threading
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.command import stoppable
from rehearsal.offline.plugins.container_json import UPDATED, changes, description, found_there
from rehearsal.offline.plugins.engines import ask
from rehearsal.offline.plugins.kept import Kept, Subject, bare
from rehearsal.offline.plugins.objects import ensure_image, refreshed
from rehearsal.offline.plugins.refusal import Partial, Refusal, Upstream
from rehearsal.offline.plugins.wire import UNKNOWN, Found, Sides, Values, plain


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
        """One whose creation failed was never read back, so the next update replaces it.

        The folder that the image starts in is no change where the program names none.
        """
        there, wanted = super().sides(subject, state, old, new)
        wanted = {**({"workingDir": there["workingDir"]} if "workingDir" in there else {}), **wanted}
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
            if any(before.get(name) != given.get(name) for name in UPDATED):
                ask(
                    subject,
                    "Unable to update a container: ",
                    lambda engine: engine.update_container(identity, **changes(given)),
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
