"""certbot: when it is asked, how, and what it has said in one sentence."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.certificates.onhost.reading import Pair, UnfitError, check, read

SECONDS = 600
PROVING = {"lets_encrypt_http01": "webroot", "lets_encrypt_dns01": "manual"}
"""Issuer -> what certbot calls the way of proving the names, also in its own notes."""
NOISE = re.compile(
    r"^(Saving debug log|Ask for help|See the logfile|Renewing an existing|Requesting a certificate|Account registered"
    r"|Plugins selected|Attempting to renew|Simulating|Hint:|Some challenges have failed|An unexpected error occurred"
    r"|- - -|Processing /|Certbot failed to authenticate|Hook '|The Certificate Authority)"
)
LONGEST = 400

Wanted = Mapping[str, Any]


class AuthorityError(Exception):
    """Why there is no new certificate, in one sentence."""


def live(wanted: Wanted) -> Pair | None:
    """What certbot has, whoever asked it for that."""
    folder = Path(wanted["certbot"]) / "live" / wanted["names"][0]
    try:
        return Pair((folder / "fullchain.pem").read_text(), (folder / "privkey.pem").read_text())
    except OSError:
        return None


def due(pair: Pair | None, wanted: Wanted) -> str:
    """Why certbot is to be asked; nothing when it is not."""
    if pair is None:
        return "there is none yet"
    wrong = unfit(pair, wanted)
    if wrong:
        return wrong
    certificate = read(pair.chain)
    more = sorted(set(certificate.names) - set(wanted["names"]))
    if more:
        return f"it is for {', '.join(more)} as well"
    if _noted(wanted, "server") != wanted["directory"]:
        return "it comes from another authority"
    if _noted(wanted, "authenticator") != PROVING[wanted["issuer"]]:
        return "the names are proven in another way from now on"
    # A short-lived one would be due from its first day.
    early = min(wanted["renew_before"], (certificate.ends - certificate.begins) * 2 / 3)
    return f"it ends in {certificate.days_left} days" if certificate.ends - time.time() < early else ""


def unfit(pair: Pair, wanted: Wanted) -> str:
    """Why it cannot be served, or nothing."""
    try:
        check(pair, wanted["names"], chained=True)
    except UnfitError as error:
        return str(error)
    return ""


def _noted(wanted: Wanted, field: str) -> str:
    """What certbot has written down about the last time."""
    notes = Path(wanted["certbot"]) / "renewal" / f"{wanted['names'][0]}.conf"
    try:
        found = re.search(rf"^{field}\s*=\s*(\S+)", notes.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def obtain(wanted: Wanted) -> None:
    """The names and the way are said each time, so that what changed needs no repair of certbot's notes."""
    try:
        done = subprocess.run(command(wanted), capture_output=True, text=True, check=False, timeout=SECONDS)
    except FileNotFoundError:
        raise AuthorityError("certbot is not installed: `./infra up` installs it.") from None
    except subprocess.TimeoutExpired:
        raise AuthorityError(f"certbot did not end within {SECONDS} s.") from None
    if done.returncode:
        raise AuthorityError(sentence(done.stdout + done.stderr, wanted))


def command(wanted: Wanted) -> list[str]:
    proof = {
        "webroot": ["--webroot", "--webroot-path", f"{wanted['nginx']}/acme"],
        "manual": [
            *("--manual", "--preferred-challenges", "dns", "--manual-auth-hook", f"{wanted['script']} dns-add"),
            *("--manual-cleanup-hook", f"{wanted['script']} dns-remove"),
        ],
    }[PROVING[wanted["issuer"]]]
    names = [part for name in wanted["names"] for part in ("--domain", name)]
    account = ["--agree-tos", "--no-eff-email", "--email", wanted["email"], "--server", wanted["directory"]]
    # It is only asked when one is due, so it never decides for itself.
    always = ["--force-renewal", "--renew-with-new-domains", "--key-type", "ecdsa", "--cert-name", wanted["names"][0]]
    return [
        "certbot",
        "certonly",
        "--non-interactive",
        "--config-dir",
        wanted["certbot"],
        *account,
        *always,
        *proof,
        *names,
    ]


def sentence(said: str, wanted: Wanted) -> str:
    hook = re.search(r"ran with error output:\s+(.+)", said)
    problems = re.findall(r"Domain:\s*(\S+)\s+Type:\s*(\S+)\s+Detail:\s*(.+)", said)
    if hook:
        # The authority can only say that it found nothing.
        reason = hook.group(1).strip().rstrip(".")
    elif problems:
        reason = "; ".join(f"{name}: {detail.strip().rstrip('.')}" for name, _, detail in dict.fromkeys(problems))
    elif re.search(
        r"Max retries|ConnectionError|Name or service|timed out|Failed to establish|ValueError: Requesting", said
    ):
        reason = "it cannot be reached from this server"
    else:
        lines = [line.strip() for line in said.splitlines()]
        kept = [line for line in lines if line and not NOISE.match(line)]
        reason = " ".join(kept[-2:]).rstrip(".") or "certbot does not say why"
    return f"{wanted['directory']} has given no certificate for {', '.join(wanted['names'])}: {reason[:LONGEST]}."
