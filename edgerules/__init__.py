"""Cloudflare's Rules language, offline: parser, types, plan limits, evaluator and zone simulator.

Facts about the language, its fields and the plans come from Cloudflare's documentation
(developers.cloudflare.com, CC BY 4.0); each table in `edgerules.tables` names its source and date.
"""
