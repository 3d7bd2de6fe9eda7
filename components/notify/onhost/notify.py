#!/usr/bin/python3 -I
"""Tells people: `notify --severity critical SUBJECT < body`. Standard library only: it runs on the server, as root.

Slack and mail, as notify.json beside it says; their addresses hold credentials and lie in files of their own. Every
channel is tried, whatever becomes of the others. Ends with 0 when everybody was told (or nobody is to be told, or the
same has been said already), with 1 and a sentence otherwise.

The same alert is said once, then again every `remind_after` seconds while it lasts, then `--resolved` once. What is
"the same" is the key (by default the subject) and its state; what is worse than before is said at once. Each channel
is remembered for itself, so that one that was down hears of it at the next call.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import json
import os
import signal
import smtplib
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SEVERITIES = ("info", "warning", "critical")
RESOLVED = "resolved"
TIMEOUT = 5.0
TRIES = 3
LONGEST_WAIT = 5.0
LAST_RESORT = 60
LONGEST_BODY = 3000
HOUR = 3600
FORGOTTEN_AFTER = 7 * 24 * HOUR
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Known = dict[str, Any]


class FailureError(Exception):
    """One sentence without a secret. `again`: another try may succeed, after so many seconds."""

    def __init__(self, text: str, again: float | None = None, reached: bool = False) -> None:
        super().__init__(text)
        self.again, self.reached = again, reached


def main(arguments: Sequence[str]) -> int:
    given = parsed(arguments)
    settings = json.loads(given.settings.read_text())
    told = dict(channels(settings))
    if not told:
        return 0
    body = sys.stdin.read(LONGEST_BODY + 1) if not sys.stdin.isatty() else ""
    alert = Alert(settings, given, body)
    with remembered(Path(settings["state"])) as known:
        wanted = [name for name in told if due(name, alert, known, settings)]
        results = sent({name: told[name] for name in wanted}, alert, known)
        note(alert, [name for name, (reached, _) in results.items() if reached], known)
    failures = [f"{name}: {failure}" for name, (_, failure) in sorted(results.items()) if failure]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="notify", description="Tells Slack and mail; the body is standard input.")
    parser.add_argument("--severity", choices=SEVERITIES, default="info")
    parser.add_argument("--key", help="what is the same alert; by default the subject")
    parser.add_argument("--state", default="", help="said again at once when this differs")
    parser.add_argument("--resolved", action="store_true", help="it is over; nothing is said if nothing was")
    parser.add_argument("--settings", type=Path, default=Path(__file__).resolve().with_name("notify.json"))
    parser.add_argument("subject")
    return parser.parse_args(arguments)


class Alert:
    """What is said, to whom it is all the same."""

    def __init__(self, settings: Mapping[str, Any], given: argparse.Namespace, body: str) -> None:
        # One line, whatever was given: it becomes a mail's header.
        self.subject = " ".join("".join(c if c.isprintable() else " " for c in given.subject).split())[:200]
        self.key = given.key or self.subject
        self.severity, self.state, self.resolved = given.severity, given.state, given.resolved
        self.now = time.time()
        self.place = f"{settings['stack']} on {socket.gethostname()}"
        self.body = body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}\n..."

    @property
    def word(self) -> str:
        return RESOLVED if self.resolved else self.severity

    def text(self, known: Known) -> str:
        return "\n".join(part for part in (self.body.rstrip(), *self.history(known)) if part)

    def history(self, known: Known) -> Iterator[str]:
        before = known["alerts"].get(self.key)
        if before and (self.resolved or before["told"]):
            first = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(before["first"]))
            yield f"Since {first}{'' if self.resolved else ', and still'}."
        if known["held"]:
            yield f"{known['held']} messages were held back before this one: too many in one hour."


def due(channel: str, alert: Alert, known: Known, settings: Mapping[str, Any]) -> bool:
    """Whether this channel has to hear it now."""
    before = known["alerts"].get(alert.key)
    if alert.resolved:
        return before is not None and channel in before["told"]
    last = (before or {"told": {}})["told"].get(channel)
    new = last is None or alert.severity == "info" or last["state"] != alert.state
    worse = new or SEVERITIES.index(alert.severity) > SEVERITIES.index(last["severity"])
    return (worse or alert.now - last["at"] >= settings["remind_after"]) and within_rate(
        channel, alert, known, settings
    )


def within_rate(channel: str, alert: Alert, known: Known, settings: Mapping[str, Any]) -> bool:
    """Something that cries all the time must not drown what matters: what is held back is counted."""
    recent = [at for at in known["sent"].get(channel, []) if alert.now - at < HOUR]
    known["sent"][channel] = recent
    if len(recent) < settings["hourly"] * (2 if alert.severity == "critical" else 1):
        return True
    known["held"] += 1
    return False


def note(alert: Alert, told: Sequence[str], known: Known) -> None:
    alerts = known["alerts"]
    if alert.resolved:
        left = alerts.get(alert.key, {"told": {}})["told"]
        for name in told:
            left.pop(name, None)
        if not left:
            alerts.pop(alert.key, None)
    else:
        entry = alerts.setdefault(alert.key, {"first": alert.now, "told": {}})
        entry["last"] = alert.now
        for name in told:
            entry["told"][name] = {"at": alert.now, "severity": alert.severity, "state": alert.state}
    for name in told:
        known["sent"].setdefault(name, []).append(alert.now)
    known["held"] = 0 if told else known["held"]
    for key in [key for key, entry in alerts.items() if alert.now - entry["last"] > FORGOTTEN_AFTER]:
        del alerts[key]


@contextmanager
def remembered(path: Path) -> Iterator[Known]:
    """What was said so far, for one caller at a time. An unreadable memory is an empty one: better twice than never."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known: Known = {"alerts": {}, "sent": {}, "held": 0}
        try:
            found = json.loads(path.read_text())
            known.update({name: found[name] for name in known if isinstance(found[name], type(known[name]))})
        except (OSError, ValueError, KeyError, TypeError):
            pass
        try:
            yield known
        finally:
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps(known))
            draft.replace(path)


Channel = Callable[[Alert, str], None]
Result = tuple[bool, str]  # whether anybody was reached, and what failed


def channels(settings: Mapping[str, Any]) -> Iterator[tuple[str, Channel]]:
    if settings["slack"]:
        yield "Slack", lambda alert, text: post(secret(settings["slack"]), alert, text)
    if settings["to"]:
        yield "mail", lambda alert, text: mail(secret(settings["smtp"]), settings, alert, text)


def secret(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise FailureError(f"{path} cannot be read ({error.strerror}): run as root, after `./infra up`.") from None


def sent(wanted: Mapping[str, Channel], alert: Alert, known: Known) -> dict[str, Result]:
    """All at once, so that one that hangs holds up none of the others."""
    text = alert.text(known)
    with ThreadPoolExecutor(max_workers=len(wanted) or 1) as pool:
        results = {name: pool.submit(tried, channel, alert, text) for name, channel in wanted.items()}
    return {name: result.result() for name, result in results.items()}


def tried(channel: Channel, alert: Alert, text: str) -> Result:
    for number in range(1, TRIES + 1):
        try:
            channel(alert, text)
            return True, ""
        except FailureError as error:
            if error.again is None or number == TRIES:
                return error.reached, str(error)
            time.sleep(min(max(error.again, number / 2), LONGEST_WAIT))
        except Exception as error:  # its words might hold the address, and that is a credential
            return False, f"failed with {type(error).__name__}."
    raise AssertionError("unreachable")


def post(url: str, alert: Alert, text: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise FailureError("slack_webhook_url is no https:// address.")
    head = f"*{alert.word.upper()}* {escaped(alert.place)}: {escaped(alert.subject)}"
    content = json.dumps({"text": f"{head}\n```{escaped(text)}```" if text else head}).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})  # noqa: S310 (checked above)
    try:
        # An opener of its own: a redirect would carry the message to wherever it points.
        with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT) as answer:
            answer.read(1000)
    except urllib.error.HTTPError as error:
        again = error.code == 429 or error.code >= 500
        asked = error.headers.get("Retry-After", "") if error.headers else ""
        seconds = float(asked) if asked.isdigit() else 0.0
        raise FailureError(f"the webhook answered {error.code}.", seconds if again else None) from None
    except (OSError, http.client.HTTPException) as error:
        raise FailureError(f"the webhook cannot be reached ({why(error)}).", wait(error)) from None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def escaped(text: str) -> str:
    """As Slack asks for; and no one may end the block of code that a body stands in."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("```", "'''")


def mail(url: str, settings: Mapping[str, Any], alert: Alert, text: str) -> None:
    message = EmailMessage()
    message["Subject"] = f"[{alert.word}] {settings['stack']}: {alert.subject}"
    message["From"], message["To"] = settings["sender"], ", ".join(settings["to"])
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=settings["sender"].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{alert.word.upper()} {alert.place}\n{alert.subject}\n\n{text}\n")
    try:
        with connected(url) as server:
            refused = server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise FailureError(f"the mail server refuses the login of smtp_url ({error.smtp_code}).") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise FailureError(f"the mail server refuses {', '.join(sorted(error.recipients))}.") from None
    except smtplib.SMTPResponseException as error:
        again = 0 if 400 <= error.smtp_code < 500 else None
        raise FailureError(f"the mail server answered {error.smtp_code}.", again) from None
    except (OSError, smtplib.SMTPException) as error:
        raise FailureError(f"the mail server cannot be reached ({why(error)}).", wait(error)) from None
    if refused:
        raise FailureError(f"the mail server refuses {', '.join(sorted(refused))}; the others were told.", reached=True)


@contextmanager
def connected(url: str) -> Iterator[smtplib.SMTP]:
    """smtps:// or smtp+starttls://; in the clear to this machine alone."""
    parts = urlsplit(url)
    host, scheme = parts.hostname or "", parts.scheme
    if not host or not (scheme in ("smtps", "smtp+starttls") or (scheme == "smtp" and host in LOOPBACK)):
        raise FailureError("smtp_url has to begin with smtps:// or smtp+starttls:// and go on with user:password@host.")
    trusted = ssl.create_default_context()
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=trusted)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT)
    with server:
        if scheme == "smtp+starttls":
            server.starttls(context=trusted)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def wait(error: Exception) -> float | None:
    """A server that hangs, or is another one, is so in a second as well: the next alert tries again."""
    return None if isinstance(cause(error), (TimeoutError, ssl.SSLError)) else 0


def cause(error: Exception) -> object:
    """What is underneath: smtplib takes silence for a closed connection."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return error.__context__ or error
    return error.reason if isinstance(error, urllib.error.URLError) else error


def why(error: Exception) -> str:
    """The system's own words, which know nothing of paths and passwords."""
    reason = cause(error)
    if isinstance(reason, TimeoutError):
        return "it does not answer"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {reason.verify_message}"
    return getattr(reason, "strerror", None) or type(reason).__name__


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGALRM, lambda *_: (os.write(2, b"notify: nobody answered in time.\n"), os._exit(1)))
    signal.alarm(LAST_RESORT)
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"notify: {error.strerror if isinstance(error, OSError) else error!r}: is this root, after `up`?")
