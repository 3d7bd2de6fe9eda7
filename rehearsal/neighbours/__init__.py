"""Other hosts on the machine's network: a visitor, a proxy, an attacker, each in a network namespace of its own."""

from rehearsal.neighbours.namespace import sweep
from rehearsal.neighbours.segment import Neighbour, Segment, docker_segment, own_segment

__all__ = ["Neighbour", "Segment", "docker_segment", "own_segment", "sweep"]
