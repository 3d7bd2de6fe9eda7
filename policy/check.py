"""Checks a stack's policy settings without an engine: JSON by section on standard input, one sentence for a mistake."""

from __future__ import annotations

import json
import sys
from datetime import date

from pack.settings import NAMESPACE, SettingsError, parse
from rules import RULES


def main() -> int:
    try:
        parse(json.load(sys.stdin), [rule.about.id for rule in RULES], date.today(), NAMESPACE)
    except SettingsError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
