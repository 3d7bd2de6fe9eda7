"""What ends a run on the server with one sentence."""


class TakeoverError(Exception):
    """One sentence for the operator."""
