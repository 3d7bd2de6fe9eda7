"""What reaches the person as it stands."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """A sentence that says what is wrong, where, and what to do."""


class Upstream(Refusal):
    """What the cloud or the engine behind a plugin answered; a bridged plugin wraps it in words of its own."""

    code = ""  # the cloud's own name for it


class Partial(Upstream):
    """Something was made and is not as it should be: the engine keeps it in the state, with the sentence."""

    def __init__(self, identity: str, outputs: dict[str, Any], text: str) -> None:
        super().__init__(text)
        self.identity, self.outputs = identity, outputs
