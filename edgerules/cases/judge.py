"""Compare what a case expects with what came out."""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.cases.model import CacheExpect, Contains, Expect
from edgerules.language import UNKNOWN
from edgerules.simulator import Outcome

NOT_STATED = "not known: the case does not state the origin's answer"


def differences(expect: Expect, outcome: Outcome) -> Iterator[str]:
    """One line for each expectation that does not hold."""
    if expect.verdict is not None and expect.verdict != outcome.verdict:
        yield f"verdict {expect.verdict}, but it is {outcome.summary()}"
    elif expect.rule is not None and expect.rule != outcome.rule:
        yield f"rule {expect.rule}, but it is {outcome.summary()}"
    if expect.action is not None and expect.action != outcome.action:
        yield f"action {expect.action}, but it is {outcome.action or outcome.verdict}"
    if expect.status is not None and expect.status != outcome.status:
        yield f"status {expect.status}, but it is {outcome.status or NOT_STATED}"
    if expect.location is not None:
        yield from _header("location", expect.location, outcome)
    for name, value in expect.headers.items():
        yield from _header(name.lower(), value, outcome)
    if expect.cache is not None:
        yield from _cache(expect.cache, outcome)
    for name, text in expect.origin.items():
        if outcome.to_origin.get(name) != text:
            yield f"{name} {text} at the origin, but it is {outcome.to_origin.get(name, 'unchanged')}"


def _header(name: str, wanted: str | Contains | None, outcome: Outcome) -> Iterator[str]:
    values = outcome.headers.get(name)
    if values is UNKNOWN or (values is None and not outcome.headers_complete):
        yield f"header {name}: {_words(wanted)}, but it is {NOT_STATED}"
        return
    found = values if isinstance(values, list) else []
    if wanted is None:
        fits = not found
    elif isinstance(wanted, Contains):
        fits = any(wanted.contains in value for value in found)
    else:
        fits = wanted in found
    if not fits:
        yield f"header {name}: {_words(wanted)}, but it is {', '.join(map(repr, found)) or 'absent'}"


def _words(wanted: str | Contains | None) -> str:
    if wanted is None:
        return "absent"
    return f"containing {wanted.contains!r}" if isinstance(wanted, Contains) else repr(wanted)


def _cache(expect: CacheExpect, outcome: Outcome) -> Iterator[str]:
    cached = outcome.cache
    if cached is None:
        yield "a cache decision, but the request does not come that far"
        return
    rules = f" (rules {', '.join(cached.rules)})" if cached.rules else " (no cache rule matches)"
    for name in sorted(expect.model_fields_set):
        wanted, found = getattr(expect, name), getattr(cached, name)
        if wanted != found:
            words = NOT_STATED if found is UNKNOWN else found
            yield f"cache {name} {wanted}, but it is {words}{rules}"
