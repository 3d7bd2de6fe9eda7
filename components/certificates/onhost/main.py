"""The origin's certificate on the server. Standard library only: it runs there, as root.

    keep [--now]   there is a certificate for all names and nginx serves it: the timer, and `up` with --now
    install        what certbot has is what nginx serves: certbot's deploy hook
    status         what nginx serves, as one JSON object (scripts/certificate-status)
    dns-add, dns-remove   certbot's hooks for DNS-01

An authority that gives none is no reason to end an `up` with an error: with --now that is a warning and status 0, and
the timer tries again, after 10 minutes first and after 12 hours at most.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.certificates.onhost import authority, dns, installing, reading
from components.certificates.onhost.installing import TroubleError

Wanted = Mapping[str, Any]

FIRST_WAIT = 600
LONGEST_WAIT = 12 * 3600
NOTHING = {"names": [], "issuer": "", "not_after": "", "days_left": 0, "self_signed": False}


def main(settings: str) -> None:
    given = _arguments()
    wanted = json.loads(Path(settings).read_text())
    try:
        sys.exit(VERBS[given.verb](wanted, given.now))
    except (TroubleError, reading.UnfitError, dns.RefusedError) as failure:
        sys.exit(str(failure))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="certificate", description="The origin's certificate.")
    parser.add_argument("verb", choices=tuple(VERBS))
    parser.add_argument(
        "--now", action="store_true", help="do not wait after a failed try; an absent authority is a warning"
    )
    return parser.parse_args()


def keep(wanted: Wanted, now: bool) -> int:
    """Whoever waits for an `up` is told by that; the timer has nobody who reads."""
    if now:
        return _keep(wanted, now)
    try:
        status = _keep(wanted, now)
    except (TroubleError, reading.UnfitError) as error:
        _notify(wanted, "The origin's certificate needs attention", str(error))
        raise
    if not Path(wanted["state"]).exists():
        _notify(wanted, "The origin's certificate is in order", "", resolved=True)
    return status


def _keep(wanted: Wanted, now: bool) -> int:
    if not installing.served(wanted).exists():
        print("nginx has never been set up here: nothing to do yet.")
        return 0
    state = Path(wanted["state"])
    state.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # The timer and an `up` may meet.
    with installing.locked(state.with_suffix(".lock")):
        installing.complete(wanted)
        if wanted["issuer"] == "cloudflare_origin":
            _tell(installing.install(_given(wanted), wanted), wanted)
            state.unlink(missing_ok=True)
            return 0
        return _keep_acme(wanted, now)


def _keep_acme(wanted: Wanted, now: bool) -> int:
    """A failed try leaves what certbot had before, and that is served as long as it fits."""
    reason = authority.due(authority.live(wanted), wanted)
    if not reason:
        Path(wanted["state"]).unlink(missing_ok=True)
    trouble = _obtain(wanted, reason) if reason and (now or _may_try(wanted)) else ""
    pair = authority.live(wanted)
    if pair is not None and authority.unfit(pair, wanted) == "":
        _tell(installing.install(pair, wanted), wanted)
    if not trouble:
        return 0
    text = _again(wanted, trouble)
    if now:
        print(f"WARNING: {text}", file=sys.stderr)
        return 0
    raise TroubleError(text)


def _obtain(wanted: Wanted, reason: str) -> str:
    """What went wrong. What is due even after that would be asked for for ever: it counts as a failure, too."""
    print(f"certbot is asked: {reason}.", flush=True)
    try:
        authority.obtain(wanted)
    except authority.AuthorityError as error:
        return str(error)
    still = authority.due(authority.live(wanted), wanted)
    if still:
        return f"certbot has got a certificate that is no use: {still}."
    Path(wanted["state"]).unlink(missing_ok=True)
    return ""


def install(wanted: Wanted, now: bool) -> int:
    """Also after `certbot renew` by hand."""
    pair = authority.live(wanted)
    if wanted["issuer"] != "cloudflare_origin" and pair is not None:
        _tell(installing.install(pair, wanted), wanted)
    return 0


def _given(wanted: Wanted) -> reading.Pair:
    try:
        return reading.split(Path(wanted["origin"]).read_text())
    except OSError:
        raise TroubleError(
            f"Cloudflare's certificate is missing: {wanted['origin']}. `./infra up` writes it."
        ) from None


def _tell(changed: bool, wanted: Wanted) -> None:
    certificate = reading.read(installing.served(wanted).read_text())
    if changed:
        print(f"nginx serves a new certificate of {certificate.issuer}, until {certificate.not_after}.")


def status(wanted: Wanted, now: bool) -> int:
    try:
        found = reading.read(installing.served(wanted).read_text())
    except (OSError, reading.UnfitError) as error:
        print(json.dumps(NOTHING))
        print(f"{installing.served(wanted)} cannot be read: {error}", file=sys.stderr)
        return 1
    told = {"names": list(found.names), "issuer": found.issuer, "not_after": found.not_after}
    print(json.dumps({**told, "days_left": found.days_left, "self_signed": found.self_signed}))
    return 0


def add(wanted: Wanted, now: bool) -> int:
    dns.add(wanted)
    return 0


def remove(wanted: Wanted, now: bool) -> int:
    dns.remove(wanted)
    return 0


def _may_try(wanted: Wanted) -> bool:
    return time.time() >= _tries(wanted)["next"]


def _tries(wanted: Wanted) -> dict[str, float]:
    """How often it has failed in a row, and when it may be tried again."""
    try:
        return dict(json.loads(Path(wanted["state"]).read_text()))
    except (OSError, ValueError):
        return {"failed": 0, "next": 0}


def _again(wanted: Wanted, trouble: str) -> str:
    """What an operator has to know; it is tried again later each time."""
    failed = int(_tries(wanted)["failed"]) + 1
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failed - 1, 10))
    _write(Path(wanted["state"]), json.dumps({"failed": failed, "next": time.time() + wait}))
    again = f"The next try is in {wait // 60} minutes at the earliest (neurmatic-certificate.timer)."
    return f"{trouble} {_meanwhile(wanted)} {again}"


def _meanwhile(wanted: Wanted) -> str:
    found = reading.read(installing.served(wanted).read_text())
    if found.self_signed:
        return "nginx serves a self-signed certificate meanwhile, which Cloudflare does not accept (error 526)."
    return f"nginx serves on with the certificate before, until {found.not_after}."


def _notify(wanted: Wanted, subject: str, text: str, *, resolved: bool = False) -> None:
    """By the stack's own channels, where there are some; it remembers what it has said."""
    if not os.access(wanted["notify"], os.X_OK):
        return
    words = ["--resolved"] if resolved else []
    command = [wanted["notify"], "--severity", "warning", "--key", "certificate", *words, subject]
    subprocess.run(command, input=text, text=True, check=False, timeout=120)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}")
    partial.write_text(text)
    partial.rename(path)


VERBS = {"keep": keep, "install": install, "status": status, "dns-add": add, "dns-remove": remove}
