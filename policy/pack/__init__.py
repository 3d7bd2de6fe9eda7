"""How rules become policies: one pass over each resource, exceptions, levels and reports."""
