"""`python -m neurmatic_policies` prints the folder for --policy-pack and PULUMI_OPTION_POLICY_PACK."""

from pathlib import Path

print(Path(__file__).resolve().parent / "policy")
