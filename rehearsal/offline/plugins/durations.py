"""Go's durations, which Docker's settings are written in: "1m30s"."""

import re

from rehearsal.offline.plugins.refusal import Refusal

_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")


def read(text: str) -> int:
    """Give the nanoseconds."""
    if text != "0" and not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise Refusal(f'time: invalid duration "{text}"')
    return int(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def write(nanoseconds: int) -> str:
    """Write it as Go does: "90s" comes back as "1m30s"."""
    if nanoseconds < _UNITS["s"]:
        for unit in ("ms", "us", "ns"):
            if nanoseconds >= _UNITS[unit]:
                return f"{nanoseconds / _UNITS[unit]:g}{unit.replace('us', 'µs')}"
        return "0s"
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / _UNITS['s']:.9f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else "") + text
