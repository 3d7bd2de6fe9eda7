"""A zone as data: what a program declares, what `lint`, `test`, `explain` and `diff` read.

    plan: pro                       # free, pro, business or enterprise
    name: example.com
    settings:                       # by setting_id, as in ZoneSetting
      always_use_https: "on"
      min_tls_version: "1.2"
      security_header: {strict_transport_security: {enabled: true, max_age: 31536000}}
    records:                        # only proxied names reach the edge; without records every name does
      - {name: api.example.com, type: A, content: 192.0.2.1, proxied: true}
    rules:                          # by phase, each with the properties of a ruleset's rule
      http_request_firewall_custom:
        - ref: block-admin
          expression: http.request.uri.path contains "/admin" and not ip.src in $office
          action: block
      http_ratelimit:
        - ref: login
          expression: http.request.uri.path eq "/login"
          action: block
          ratelimit: {characteristics: [cf.colo.id, ip.src], period: 60, requests_per_period: 5,
                      mitigation_timeout: 60}
    lists: {office: {kind: ip, items: [203.0.113.0/24]}}
    url_normalization: {type: cloudflare, scope: incoming}
    bot_management: {sbfm_definitely_automated: block}
    must_pass:                      # requests that no rule may stop
      - {name: health check, request: GET https://api.example.com/health --ip 203.0.113.9}

`rulesets: [{phase: ..., rules: [...]}]` and a flat list of rules with a key `phase` are read as well, and
`zone_from_rulesets` takes the resources of a Pulumi program just as runtime mocks record them.
"""

from edgerules.zone.base import Model
from edgerules.zone.load import build, load, validate, zone_from_rulesets
from edgerules.zone.model import MustPass, RateLimit, Redirect, Rule, Zone, rule_name
from edgerules.zone.parameters import ActionParameters
from edgerules.zone.source import Document, InputError, parse, read, read_text

__all__ = [
    "ActionParameters",
    "Document",
    "InputError",
    "Model",
    "MustPass",
    "RateLimit",
    "Redirect",
    "Rule",
    "Zone",
    "build",
    "load",
    "parse",
    "read",
    "read_text",
    "rule_name",
    "validate",
    "zone_from_rulesets",
]
