"""What other parts of the product know about themselves: the certificate, the newest backup."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from components.health.onhost.finding import Finding, broken, critical, fine, unknown, warning
from components.health.onhost.process import SilenceError, ask, last_line

HOUR = 3600


def certificate(settings: Mapping[str, Any]) -> Iterator[Finding]:
    script = settings["certificate_status"]
    if not Path(script).exists():
        yield unknown("certificate", f"there is no {script}")
        return
    try:
        done = ask([script])
        said = json.loads(done.stdout)
        left = float(said["days_left"])
    except SilenceError as error:
        yield warning("certificate", str(error))
        return
    except (ValueError, KeyError, TypeError):
        yield warning("certificate", f"{script} gives no answer: {last_line(done)}")
        return
    yield judged_certificate(left, bool(said.get("self_signed")), settings["limits"]["certificate"])


def judged_certificate(left: float, self_signed: bool, limits: Mapping[str, float]) -> Finding:
    if left < 0:
        return broken("certificate", "has expired: Cloudflare refuses it (Full, strict)", left)
    text = f"is valid for {left:.0f} more days"
    if left < limits["critical"]:
        return critical("certificate", f"{text}, and was not renewed", left)
    if left < limits["warning"]:
        return warning("certificate", f"{text}, and was not renewed", left)
    if self_signed:
        return warning("certificate", f"{text}, but it is self-signed: Cloudflare refuses it (Full, strict)", left)
    return fine("certificate", text, left)


def backup(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """A backup that was not verified is none."""
    path = Path(settings["backup_status"])
    try:
        said = json.loads(path.read_text())
        verified = moment(said["last_verified"]) if said.get("last_verified") else None
        error = str(said.get("error") or "")
    except FileNotFoundError:
        yield unknown("backup", f"there is no {path}: no backup was made yet")
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield warning("backup", f"{path} cannot be read: run the backup again")
        return
    yield judged_backup(verified, error, settings["backup_max_age"])


def judged_backup(verified: float | None, error: str, most: float) -> Finding:
    why = f" The last one failed: {error.splitlines()[0][:200]}" if error else ""
    if verified is None:
        return critical("backup", f"there is no verified backup.{why}")
    age = time.time() - verified
    text = f"the newest verified one is {age / HOUR:.1f} h old"
    if age > most:
        return critical("backup", f"{text}, allowed are {most / HOUR:.0f} h.{why}", round(age))
    return warning("backup", f"{text}.{why}", round(age)) if error else fine("backup", text, round(age))


def moment(text: str) -> float:
    """Python before 3.11 does not read a Z."""
    found = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
