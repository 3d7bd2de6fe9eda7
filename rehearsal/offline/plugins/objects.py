"""docker's networks, volumes, images, secrets and configs on an engine: one row each."""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.offline.plugins.engines import ask
from rehearsal.offline.plugins.kept import Kept, Subject, bare
from rehearsal.offline.plugins.refusal import Refusal, Upstream
from rehearsal.offline.plugins.wire import Found, Values, plain

_PATIENCE = 30  # seconds


def as_labels(labels: list[Values]) -> dict[str, str]:
    """Write the plugin's list of labels as the engine's map."""
    return {each["label"]: each["value"] for each in labels}


def from_labels(labels: dict[str, str] | None) -> list[Values]:
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def set_values(seen: Values, given: Values) -> Values:
    """Leave out what is empty, unless the program has set it: for the engine that is the same as unset."""
    return {key: value for key, value in seen.items() if key in given or value not in (None, "", [], {}, 0, False)}


def refreshed(subject: Subject, inputs: Values, there: Values) -> Values:
    """Give the inputs with what was found: those of an import are all that is no default."""
    if inputs:
        return {key: value if key.startswith("__") else there.get(key, value) for key, value in inputs.items()}
    taken, defaults = subject.schema["inputs"], subject.rules.defaults
    return {key: value for key, value in there.items() if key in taken and value != defaults.get(key)}


@dataclass(frozen=True)
class Kind:
    """How one type of object is made, found and removed, and what is read back of it."""

    what: str
    make: Callable[[Any, Values], Any]
    look: Callable[[Any, str], Values]
    drop: Callable[[Any, str], Any]
    read: Callable[[Values], Values]


class Object(Kept):
    """One object of an engine, which nothing can change in place."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        given = bare(plain(inputs))
        identity = ask(subject, self.kind.what, lambda engine: self.kind.make(engine, given))
        return str(identity), {**given, **set_values(self._there(subject, str(identity)) or {}, given)}

    def _there(self, subject: Subject, identity: str) -> Values | None:
        try:
            raw = ask(subject, "", lambda engine: self.kind.look(engine, identity))
        except Upstream as refusal:
            if "not found" in str(refusal) or "no such" in str(refusal).lower():
                return None
            raise
        return {"id": identity, **self.kind.read(raw)}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        there = self._there(subject, identity)
        if there is None:
            return None
        known = set_values(there, state)
        return {**plain(state), **known}, refreshed(subject, inputs, known)

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        return {**self._stays(subject, old), **bare(inputs)}

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        try:
            ask(subject, "", lambda engine: self.kind.drop(engine, identity))
        except Upstream as refusal:
            if "not found" not in str(refusal) and "no such" not in str(refusal).lower():
                raise


_POOL = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange", "auxAddress": "AuxiliaryAddresses"}


def _make_network(engine: Any, given: Values) -> str:
    pools = [
        {theirs: pool[ours] for ours, theirs in _POOL.items() if pool.get(ours)}
        for pool in given.get("ipamConfigs") or []
    ]
    ipam = {"Driver": given.get("ipamDriver", "default"), "Config": pools, "Options": given.get("ipamOptions") or {}}
    flags = {name: given.get(name) for name in ("internal", "attachable", "ingress", "driver", "options")}
    labels = as_labels(given.get("labels") or [])
    made = engine.create_network(
        given["name"], ipam=ipam, labels=labels, check_duplicate=True, enable_ipv6=bool(given.get("ipv6")), **flags
    )
    return str(made["Id"])


def _network(raw: Values) -> Values:
    pools = [
        {ours: pool[theirs] for ours, theirs in _POOL.items() if pool.get(theirs)}
        for pool in raw["IPAM"]["Config"] or []
    ]
    return {
        "name": raw["Name"],
        "driver": raw["Driver"],
        "scope": raw["Scope"],
        "internal": raw["Internal"],
        "attachable": raw["Attachable"],
        "ingress": raw["Ingress"],
        "ipv6": raw["EnableIPv6"],
        "options": raw["Options"],
        "labels": from_labels(raw["Labels"]),
        "ipamDriver": raw["IPAM"]["Driver"],
        "ipamOptions": raw["IPAM"]["Options"],
        "ipamConfigs": pools,
    }


def _make_volume(engine: Any, given: Values) -> str:
    labels = as_labels(given.get("labels") or [])
    made = engine.create_volume(given["name"], given.get("driver"), given.get("driverOpts") or None, labels)
    return str(made["Name"])


def _volume(raw: Values) -> Values:
    options = {"driver": raw["Driver"], "driverOpts": raw["Options"] or {}, "mountpoint": raw["Mountpoint"]}
    return {"name": raw["Name"], "labels": from_labels(raw["Labels"]), **options}


def _make_secret(engine: Any, given: Values) -> str:
    return str(
        engine.create_secret(given["name"], b64decode(given["data"]), as_labels(given.get("labels") or []))["ID"]
    )


def _make_config(engine: Any, given: Values) -> str:
    data = b64decode(given["data"]) if given.get("data") else given.get("dataRaw", "").encode()
    return str(engine.create_config(given["name"], data, as_labels(given.get("labels") or []))["ID"])


def ensure_image(subject: Subject, name: str, platform: str | None, what: str) -> Values:
    """Give an image, from where it is or from its registry."""
    import docker  # noqa: PLC0415
    from docker.utils import parse_repository_tag  # noqa: PLC0415

    def find(engine: Any) -> Values:
        try:
            return dict(engine.inspect_image(name))
        except docker.errors.ImageNotFound:
            pass
        try:
            repository, tag = parse_repository_tag(name)
            engine.pull(repository, tag or "latest", platform=platform, auth_config=_login(subject, repository))
            return dict(engine.inspect_image(name))
        except docker.errors.APIError as error:
            answer = f"Error response from daemon: {error.explanation or error}"
            raise Upstream(f"{what}unable to pull image {name}: error pulling image {name}: {answer}") from error

    return ask(subject, what, find)


def _login(subject: Subject, repository: str) -> dict[str, str] | None:
    """Give what the provider was told about the registry of this image."""
    told = plain(subject.settings.get("registryAuth"))
    for each in json.loads(told) if isinstance(told, str) else told or []:
        if each["address"].removeprefix("https://").rstrip("/") == repository.partition("/")[0]:
            return {"username": each.get("username", ""), "password": each.get("password", "")}
    return None


class Image(Kept):
    """docker.RemoteImage: pulled where it is missing, removed unless it is to be kept."""

    def mistakes(self, inputs: Values) -> list[str]:
        return ["build is not emulated in a rehearsal: build the image first."] if inputs.get("build") else []

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        given = bare(plain(inputs))
        image = ensure_image(
            subject, given["name"], given.get("platform"), "Unable to read Docker image into resource: "
        )
        return image["Id"] + given["name"], {**given, **_image(image, given["name"])}

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        if preview:
            return {**self._stays(subject, old), **bare(inputs)}
        return self.create(subject, inputs)[1]

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        import docker  # noqa: PLC0415

        name = plain(state).get("name")
        if name is None:
            raise Refusal("docker.RemoteImage cannot be imported: its id does not say its name.")
        try:
            image = ask(subject, "", lambda engine: _inspect(engine, name, docker))
        except LookupError:
            return None
        return {**plain(state), **_image(image, name)}, inputs

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        import docker  # noqa: PLC0415

        given = plain(state)
        if given.get("keepLocally"):
            return
        try:
            ask(subject, "", lambda engine: _inspect(engine, given["name"], docker))
        except LookupError:
            return
        force = bool(given.get("forceRemove"))
        ask(subject, "Unable to remove Docker image: ", lambda engine: engine.remove_image(given["name"], force=force))


def _inspect(engine: Any, name: str, docker: Any) -> Values:
    try:
        return dict(engine.inspect_image(name))
    except docker.errors.ImageNotFound as error:
        raise LookupError(name) from error


def _image(raw: Values, name: str) -> Values:
    repository = name.split("@", maxsplit=1)[0].rpartition(":")[0] or name
    digests = raw.get("RepoDigests") or []
    digest = next((each for each in digests if each.split("@")[0] == repository), digests[0] if digests else "")
    return {"id": raw["Id"] + name, "imageId": raw["Id"], "repoDigest": digest}


def _patiently(drop: Callable[[Any, str], Any], busy: str) -> Callable[[Any, str], None]:
    """Wait for those who use it to leave, as the official plugin does."""

    def attempt(engine: Any, identity: str) -> None:
        for _ in range(_PATIENCE):
            try:
                drop(engine, identity)
                return
            except Exception as error:
                if busy not in str(error):
                    raise
            time.sleep(1)
        raise Upstream(f"timeout while waiting for state to become 'removed' (timeout: {_PATIENCE}s)")

    return attempt


_NETWORK = Kind(
    "Unable to create network: ",
    _make_network,
    lambda e, i: dict(e.inspect_network(i)),
    _patiently(lambda e, i: e.remove_network(i), "has active endpoints"),
    _network,
)
_VOLUME = Kind(
    "Unable to create volume: ",
    _make_volume,
    lambda e, i: dict(e.inspect_volume(i)),
    _patiently(lambda e, i: e.remove_volume(i), "volume is in use"),
    _volume,
)
_SECRET = Kind(
    "",
    _make_secret,
    lambda e, i: dict(e.inspect_secret(i)),
    lambda e, i: e.remove_secret(i),
    lambda raw: {"name": raw["Spec"]["Name"]},
)
_CONFIG = Kind(
    "",
    _make_config,
    lambda e, i: dict(e.inspect_config(i)),
    lambda e, i: e.remove_config(i),
    lambda raw: {"name": raw["Spec"]["Name"], "data": raw["Spec"]["Data"]},
)
ACTORS = {
    "docker:index/network:Network": Object(_NETWORK),
    "docker:index/volume:Volume": Object(_VOLUME),
    "docker:index/secret:Secret": Object(_SECRET),
    "docker:index/serviceConfig:ServiceConfig": Object(_CONFIG),
    "docker:index/remoteImage:RemoteImage": Image(),
}
