"""The `escrow` section: who can open the copy of the state that outlives laptop, key and backend."""

from collections.abc import Iterable

from components.mistakes import Mistake
from components.section import Section
from components.values import AgeRecipient, DataPolicy


class EscrowSettings(Section):
    """Every generated password lives in the state. A sealed copy of it is written after each `up`."""

    recipients: tuple[AgeRecipient, ...] = ()
    """Public age keys that it is sealed to. Each private half is kept offline and opens it alone."""


def state_is_escrowed(escrow: EscrowSettings, data: DataPolicy, rehearsal: bool) -> Iterable[Mistake]:
    if data is DataPolicy.PROTECTED and not escrow.recipients and not rehearsal:
        yield Mistake(
            ("escrow", "recipients"),
            "not set; without a sealed copy of the state, losing it loses every generated password. "
            "Make a key with `./infra escrow key FILE`, and keep the file offline",
        )
