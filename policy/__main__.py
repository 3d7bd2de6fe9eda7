"""The policy pack, and nothing else: the rules are in rules/, one file per subject; pack/ makes policies of them."""

import sys

from pack.dispatch import Dispatch
from pack.judge import for_this_run
from pack.settings import SettingsError
from pulumi_policy import PolicyPack
from rules import RULES

try:
    policies = Dispatch(for_this_run(RULES)).policies
except SettingsError as error:
    # Nothing is judged, and nothing made, under settings that nobody meant.
    sys.exit(f"policy pack: {error}")

PolicyPack("neurmatic", policies=policies)
