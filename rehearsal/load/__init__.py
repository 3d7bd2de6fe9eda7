"""Visitors who keep asking while something changes, and what came back: docs/load-client.md."""

from rehearsal.load.asking import Seen, asking
from rehearsal.load.plan import EVERY, SHORT, Plan
from rehearsal.load.report import Phase, Report
from rehearsal.load.running import Heard, loading
from rehearsal.load.target import Target

__all__ = ["EVERY", "SHORT", "Heard", "Phase", "Plan", "Report", "Seen", "Target", "asking", "loading"]
