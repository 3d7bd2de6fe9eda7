"""Every rule of the pack, by subject."""

from . import (
    accounts,
    containers,
    credentials,
    data,
    edge,
    exposure,
    firewall,
    hosts,
    identity,
    keeping,
    naming,
    running,
    storage,
    tls,
    transport,
)
from .frame import Rule, StackRule

RULES: list[Rule | StackRule] = [
    *exposure.RULES,
    *tls.RULES,
    *transport.RULES,
    *storage.RULES,
    *keeping.RULES,
    *identity.RULES,
    *accounts.RULES,
    *containers.RULES,
    *running.RULES,
    *hosts.RULES,
    *credentials.RULES,
    *edge.RULES,
    *firewall.RULES,
    *data.RULES,
    *naming.RULES,
]
