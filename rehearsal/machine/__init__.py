"""A throw-away server in a container: systemd, sshd, room for its own Docker engine, nothing of ours on it."""

from rehearsal.machine.machine import Machine, Order

__all__ = ["Machine", "Order"]
