"""Every rule of the pack, by subject."""

from . import containers, credentials, data, edge, exposure, firewall, hosts, identity, naming, running, storage, tls
from .frame import Rule, StackRule

RULES: list[Rule | StackRule] = [
    *exposure.RULES,
    *tls.RULES,
    *storage.RULES,
    *identity.RULES,
    *containers.RULES,
    *running.RULES,
    *hosts.RULES,
    *credentials.RULES,
    *edge.RULES,
    *firewall.RULES,
    *data.RULES,
    *naming.RULES,
]
