"""A pair becomes what nginx serves: tested first, in force by one rename, taken back when nginx does not like it.

    tls/fullchain.pem -> current/fullchain.pem      tls/privkey.pem -> current/privkey.pem
    tls/current       -> generations/<hash>         tls/.reloading: the generation before, while nginx changes over

Chain and key change together, whatever kills this: the next run sees `.reloading` and completes what was begun.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.certificates.onhost.reading import Pair, UnfitError, check
from components.containers.onhost import engine, serve, workers

FILES = ("fullchain.pem", "privkey.pem")
MARK = ".reloading"

LOCK_SECONDS = 600
"""As long as a release may take to take over: one change of nginx at a time."""

Wanted = Mapping[str, Any]


class TroubleError(Exception):
    """One sentence for the operator."""


def install(pair: Pair, wanted: Wanted) -> bool:
    """True when nginx serves something else than before."""
    root = Path(wanted["nginx"])
    with locked(root / ".lock"):
        tls = root / "tls"
        _settle(tls, wanted)
        _finish(root, wanted)
        name = _named(pair)
        if _in_force(tls) == f"generations/{name}":
            # A run that was killed after the change may not have come to this.
            _sweep(tls)
            return False
        _checked(pair, wanted)
        _stage(tls, pair, wanted)
        try:
            _try_in_nginx(root, name, wanted)
        except TroubleError:
            shutil.rmtree(tls / "generations" / name)
            raise
        _swap(root, f"generations/{name}", wanted)
        _sweep(tls)
    return True


def complete(wanted: Wanted) -> None:
    """What a killed run has begun."""
    root = Path(wanted["nginx"])
    if (root / "tls" / MARK).exists():
        with locked(root / ".lock"):
            _finish(root, wanted)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """nginx's own is the one that a deploy takes, too."""
    with path.open("w") as handle:
        if not engine.within(LOCK_SECONDS, lambda: serve.taken(handle)):
            raise TroubleError(f"Another run has held {path} for {LOCK_SECONDS} s: wait for it, or see what it does.")
        yield


def served(wanted: Wanted) -> Path:
    return Path(wanted["nginx"]) / "tls" / FILES[0]


def _checked(pair: Pair, wanted: Wanted) -> None:
    try:
        check(pair, wanted["names"], chained=wanted["issuer"] != "cloudflare_origin")
    except UnfitError as error:
        raise TroubleError(f"The new certificate is not used: {error}. nginx serves on with the one before.") from None


def _settle(tls: Path, wanted: Wanted) -> None:
    """Plain files (the self-signed start) become a generation; their content is the same at every moment."""
    if all((tls / name).is_symlink() for name in FILES):
        return
    plain = Pair(*((tls / name).read_text() for name in FILES))
    _stage(tls, plain, wanted)
    serve.point(tls, f"generations/{_named(plain)}")
    for name in FILES:
        link = tls / f".{name}"
        link.unlink(missing_ok=True)
        link.symlink_to(f"current/{name}")
        link.rename(tls / name)


def _named(pair: Pair) -> str:
    return hashlib.sha256(f"{pair.chain}{pair.key}".encode()).hexdigest()[:16]


def _stage(tls: Path, pair: Pair, wanted: Wanted) -> None:
    """A folder under its own name is complete. The key is only ever nginx's to read."""
    folder = tls / "generations" / _named(pair)
    if folder.exists():
        return
    partial = folder.with_name(f".{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o755, parents=True)
    user, _, group = wanted["user"].partition(":")
    for file, text, mode in ((FILES[0], pair.chain, 0o444), (FILES[1], pair.key, 0o400)):
        handle = os.open(partial / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "w") as opened:
            os.fchown(handle, int(user), int(group))
            os.fchmod(handle, mode)
            opened.write(text)
            opened.flush()
            os.fsync(handle)
    partial.rename(folder)


def _try_in_nginx(root: Path, name: str, wanted: Wanted) -> None:
    """By the image, the configuration and the network that run, in a container of its own."""
    image, network = _running(wanted)
    if not image:
        return
    fence = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", wanted["user"]]
    owner = "uid={},gid={}".format(*wanted["user"].split(":"))
    memory = [part for path in ("/var/cache/nginx", "/var/run") for part in ("--tmpfs", f"{path}:{owner}")]
    folders = [f"{root}:/etc/stack:ro", f"{root}/tls/generations/{name}:/etc/stack/tls:ro"]
    place = ["--network", network, *(part for each in folders for part in ("--volume", each)), "--entrypoint", "nginx"]
    try:
        engine.run(
            "docker", "run", "--rm", *fence, *memory, *place, image, "-t", "-q", "-c", "/etc/stack/current/nginx.conf"
        )
    except engine.CommandError as refusal:
        raise TroubleError(f"nginx refuses the new certificate and serves on with the one before. {refusal}") from None


def _running(wanted: Wanted) -> tuple[str, str]:
    networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    said = engine.inspect(wanted["container"], f"{{{{.Image}}}} {networks}").split()
    return (said[0], said[1]) if len(said) > 1 else ("", "")


def _swap(root: Path, target: str, wanted: Wanted) -> None:
    tls = root / "tls"
    (tls / MARK).write_text(_in_force(tls))
    serve.point(tls, target)
    _finish(root, wanted)


def _finish(root: Path, wanted: Wanted) -> None:
    """nginx takes over what `current` names, or everything is as it was."""
    tls = root / "tls"
    mark = tls / MARK
    if not mark.exists():
        return
    before = mark.read_text()
    master = engine.process_of(wanted["container"])
    if master and not workers.reload(master):
        if before and (tls / before / FILES[0]).exists():
            serve.point(tls, before)
        workers.signalled(master, signal.SIGHUP)
        mark.unlink()
        raise TroubleError(f"{wanted['container']} did not take the new certificate over; the one before is in force.")
    mark.unlink()


def _in_force(tls: Path) -> str:
    return os.readlink(tls / "current") if (tls / "current").is_symlink() else ""


def _sweep(tls: Path) -> None:
    """The generation before stays for whoever wants it back; older keys are nobody's any more."""
    kept = _in_force(tls).rpartition("/")[2]
    folders = sorted((tls / "generations").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    partial = [path for path in folders if path.name.startswith(".")]
    others = [path for path in folders if path.name != kept and path not in partial]
    for folder in [*partial, *others[1:]]:
        shutil.rmtree(folder, ignore_errors=True)
