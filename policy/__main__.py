"""The policy pack, and nothing else: the rules are in rules/, one file per subject."""

from pulumi_policy import PolicyPack
from rules import RULES
from rules.frame import as_policies

PolicyPack("neurmatic", policies=as_policies(RULES))
