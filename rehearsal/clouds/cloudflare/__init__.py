"""A Cloudflare API v4: the calls that the provider makes, over zones that `edgerules` can evaluate.

api.py (token, route, envelope) -> zones, dns, settings, bots, rulesets, certificates, account, lists -> store.py
errors.py: every code it refuses with, and where the code is known from. export.py: a zone for edgerules.
"""
