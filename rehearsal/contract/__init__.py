"""What an image of the application lacks to be run, rolled and rolled back here: docs/contract.md."""

from rehearsal.contract.checks import CHECKS, Finding, judge
from rehearsal.contract.trial import Trial, trial

__all__ = ["CHECKS", "Finding", "Trial", "judge", "trial"]
