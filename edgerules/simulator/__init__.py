"""What becomes of a request in a zone, without Cloudflare.

edge = Edge(zone)
outcome = edge.send(Request(host="example.com", path="/login", method="POST"), at=12.5)
outcome.verdict, outcome.rule, outcome.status
"""

from edgerules.simulator.edge import Edge
from edgerules.simulator.outcome import ALLOWED, STOPPED, UNDECIDED, Cached, Outcome, Step, Stop
from edgerules.simulator.request import Origin, Request

__all__ = [
    "ALLOWED",
    "STOPPED",
    "UNDECIDED",
    "Cached",
    "Edge",
    "Origin",
    "Outcome",
    "Request",
    "Step",
    "Stop",
]
