"""A mistake is one sentence for the person who made it, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class OperatorError(Exception):
    """What went wrong, where, and what to do."""


@contextmanager
def reported() -> Iterator[None]:
    try:
        yield
    except OperatorError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:  # the last resort; the details are for a report
        if os.environ.get("INFRA_DEBUG"):
            traceback.print_exc()
        print(f"This is a defect of ./infra: {error!r}. INFRA_DEBUG=1 shows where.", file=sys.stderr)
        sys.exit(70)
