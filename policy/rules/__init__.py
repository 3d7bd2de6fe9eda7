"""Every rule of the pack, by subject."""

from . import containers, credentials, data, edge, exposure, hosts, storage, tls
from .frame import Rule, StackRule

RULES: list[Rule | StackRule] = [
    *exposure.RULES,
    *tls.RULES,
    *storage.RULES,
    *containers.RULES,
    *hosts.RULES,
    *credentials.RULES,
    *edge.RULES,
    *data.RULES,
]
