"""The four plans, from the least to the most."""

from __future__ import annotations

from enum import Enum


class Plan(str, Enum):
    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"

    @property
    def rank(self) -> int:
        return list(Plan).index(self)

    def includes(self, lowest: Plan) -> bool:
        """Whether what starts at the plan `lowest` is part of this plan."""
        return self.rank >= lowest.rank

    @property
    def label(self) -> str:
        return self.value.capitalize()
