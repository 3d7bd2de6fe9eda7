"""The one exception whose text reaches the person as it stands."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """A sentence that says what is wrong, where, and what to do."""
