"""A zone as plain, strict data. The property names are those of Cloudflare's API and pulumi_cloudflare."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from edgerules.tables.plans import Plan
from edgerules.zone.base import Model
from edgerules.zone.parameters import ActionParameters, Free

Phase = Literal[
    "http_request_sanitize",
    "http_request_dynamic_redirect",
    "http_request_transform",
    "http_config_settings",
    "http_request_origin",
    "ddos_l7",
    "http_request_firewall_custom",
    "http_ratelimit",
    "http_request_firewall_managed",
    "http_request_sbfm",
    "http_request_redirect",
    "http_request_late_transform",
    "http_request_cache_settings",
    "http_request_snippets",
    "http_request_cloud_connector",
    "http_custom_errors",
    "http_response_headers_transform",
    "http_response_cache_settings",
    "http_response_compression",
    "http_response_firewall_managed",
    "http_log_custom_fields",
]

Action = Literal[
    "block",
    "challenge",
    "compress_response",
    "ddos_dynamic",
    "execute",
    "force_connection_close",
    "js_challenge",
    "log",
    "log_custom_field",
    "managed_challenge",
    "redirect",
    "rewrite",
    "route",
    "score",
    "serve_error",
    "set_cache_control",
    "set_cache_settings",
    "set_cache_tags",
    "set_config",
    "skip",
]


def _number_as_text(value: object) -> object:
    """`min_tls_version: 1.2` is a number for YAML and text for Cloudflare."""
    return str(value) if isinstance(value, float) else value


def _flag_as_text(value: object) -> object:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


Switch = Annotated[Literal["on", "off"], BeforeValidator(_flag_as_text)]
Version = Annotated[Literal["1.0", "1.1", "1.2", "1.3"], BeforeValidator(_number_as_text)]


class Hsts(Model):
    """The value of the setting `security_header`, under its key `strict_transport_security`."""

    enabled: bool = True
    max_age: int = Field(default=0, ge=0, le=63_072_000)
    include_subdomains: bool = False
    preload: bool = False
    nosniff: bool = False


class SecurityHeader(Model):
    strict_transport_security: Hsts = Hsts()


class Settings(Model):
    """Zone settings by their `setting_id`. Those that change no verdict are accepted and kept."""

    ssl: Literal["off", "flexible", "full", "strict", "origin_pull"] = "full"
    min_tls_version: Version = "1.0"
    tls_1_3: Annotated[Literal["on", "off", "zrt"], BeforeValidator(_flag_as_text)] = "on"
    always_use_https: Switch = "off"
    security_header: SecurityHeader = SecurityHeader(strict_transport_security=Hsts(enabled=False))
    browser_cache_ttl: int = Field(default=14_400, ge=0)
    cache_level: Literal["bypass", "basic", "simplified", "aggressive"] = "aggressive"
    http2: Switch = "on"
    http3: Switch = "off"
    automatic_https_rewrites: Switch = "on"
    brotli: Switch = "on"
    early_hints: Switch = "off"
    zero_rtt: Switch = Field(default="off", validation_alias=AliasChoices("0rtt", "zero_rtt"))
    websockets: Switch = "on"
    opportunistic_encryption: Switch = "on"
    tls_client_auth: Switch = "off"
    security_level: str = "medium"
    browser_check: Switch = "on"
    ipv6: Switch = "on"
    always_online: Switch = "off"
    development_mode: Switch = "off"
    challenge_ttl: int = 1800
    ciphers: list[str] = Field(default=[])
    ip_geolocation: Switch = "on"
    email_obfuscation: Switch = "on"
    server_side_exclude: Switch = "on"
    hotlink_protection: Switch = "off"
    true_client_ip_header: Switch = "off"


class Record(Model):
    """A DNS record. Only proxied ones bring requests to the edge; none at all: every name does."""

    name: str = Field(min_length=1)
    type: str = Field(min_length=1)
    content: str | None = None
    data: dict[str, Any] | None = None
    proxied: bool = False
    ttl: int | float | None = None
    priority: int | float | None = None
    zone_id: str | None = None
    private_routing: bool | None = None
    include_shadow_metadata: bool | None = None
    comment: str | None = None
    tags: list[str] = Field(default=[])
    settings: dict[str, Any] | None = None


class RateLimit(Model):
    characteristics: list[str] = Field(min_length=1)
    period: int = Field(gt=0)
    requests_per_period: int | None = Field(default=None, gt=0)
    mitigation_timeout: int = Field(default=0, ge=0)
    counting_expression: str | None = None
    requests_to_origin: bool = False
    score_per_period: int | None = None
    score_response_header_name: str | None = None


class Rule(Model):
    """One rule of a ruleset, as the API and pulumi_cloudflare have it."""

    id: str | None = None
    ref: str | None = None
    expression: str
    action: Action
    action_parameters: ActionParameters = Field(
        default=ActionParameters(), validation_alias=AliasChoices("action_parameters", "parameters")
    )
    ratelimit: RateLimit | None = Field(default=None, validation_alias=AliasChoices("ratelimit", "rate_limit"))
    enabled: bool = True
    description: str | None = None
    logging: dict[str, Any] | None = None
    exposed_credential_check: dict[str, Any] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The action parameters that are set, as plain data."""
        return self.action_parameters.model_dump(exclude_none=True, by_alias=True)

    @model_validator(mode="after")
    def has_what_its_action_needs(self) -> Rule:
        if self.action == "redirect" and not (self.action_parameters.from_value or self.action_parameters.from_list):
            raise ValueError("a redirect needs action_parameters.from_value or from_list")
        if self.action == "execute" and self.action_parameters.id is None:
            raise ValueError("execute needs action_parameters.id, the ruleset")
        return self


class Redirect(Model):
    source_url: str = Field(pattern=r"^(https?://)?[A-Za-z0-9.-]+(/.*)?$")
    target_url: str = Field(pattern=r"^https?://")
    status_code: Literal[301, 302, 307, 308] = 301
    include_subdomains: bool = False
    subpath_matching: bool = False
    preserve_query_string: bool = False
    preserve_path_suffix: bool = True


class Hostname(Model):
    url_hostname: str


class ListItem(Model):
    """One item as the API writes it; in a file the bare value is enough."""

    ip: str | None = None
    asn: int | None = None
    hostname: Hostname | None = None
    redirect: Redirect | None = None
    comment: str | None = None


class NamedList(Model):
    kind: Literal["ip", "asn", "hostname", "redirect"] = "ip"
    items: list[str | int | Redirect | ListItem] = Field(default=[])
    description: str | None = None

    @property
    def values(self) -> list[str | int]:
        """Addresses, numbers or names; redirects are read by `redirects`."""
        return [value for value in map(_value, self.items) if value is not None]

    @property
    def redirects(self) -> list[Redirect]:
        found = (item.redirect if isinstance(item, ListItem) else item for item in self.items)
        return [item for item in found if isinstance(item, Redirect)]


def _value(item: str | int | Redirect | ListItem) -> str | int | None:
    if isinstance(item, str | int):
        return item
    if isinstance(item, Redirect):
        return None
    return item.ip or item.asn or (item.hostname.url_hostname if item.hostname else None)


class UrlNormalization(Model):
    type: Literal["cloudflare", "rfc3986"] = "cloudflare"
    scope: Literal["incoming", "both", "none"] = "incoming"


Decision = Literal["allow", "block", "managed_challenge"]


class BotManagement(Model):
    fight_mode: bool = False
    sbfm_definitely_automated: Decision = "allow"
    sbfm_likely_automated: Decision = "allow"
    sbfm_verified_bots: Literal["allow", "block"] = "allow"
    sbfm_static_resource_protection: bool = False
    optimize_wordpress: bool = False
    enable_js: bool = False
    is_robots_txt_managed: bool = False
    ai_bots_migration_opt_out: Free = None
    ai_bots_protection: Free = None
    ai_training: Free = None
    ai_user: Free = None
    aisearch: Free = None
    auto_update_model: Free = None
    bm_cookie_enabled: Free = None
    bot_preference_sync_enabled: Free = None
    cf_robots_variant: Free = None
    content_bots_protection: Free = None
    crawler_protection: Free = None
    jsd_api_results_enabled: Free = None
    suppress_session_score: Free = None
    zone_id: Free = None


class MustPass(Model):
    """A request that no rule may stop: a health check, a webhook, a search engine, the office."""

    name: str = Field(min_length=1)
    request: str | dict[str, Any]


class Zone(Model):
    """Everything that decides what happens to a request at the edge."""

    plan: Annotated[Plan, Field(strict=False)]
    name: str = ""
    settings: Settings = Settings()
    records: list[Record] = Field(default=[])
    rules: dict[Phase, list[Rule]] = Field(default={})
    lists: dict[str, NamedList] = Field(default={})
    url_normalization: UrlNormalization = UrlNormalization()
    bot_management: BotManagement = BotManagement()
    must_pass: list[MustPass] = Field(default=[])

    def rules_of(self, phase: str) -> list[Rule]:
        return self.rules.get(phase, [])  # type: ignore[call-overload, no-any-return]


def rule_name(phase: str, index: int, rule: Rule) -> str:
    """How reports call a rule: its ref, or where it stands."""
    return rule.ref or f"{phase}[{index}]"
