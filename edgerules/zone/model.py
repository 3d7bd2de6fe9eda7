"""A zone as plain, strict data. The property names are those of Cloudflare's API and pulumi_cloudflare."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from edgerules.tables.plans import Plan

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


class Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, hide_input_in_errors=True
    )


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
    ciphers: list[str] = []
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
    comment: str | None = None
    tags: list[str] = []
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
    """One rule of a ruleset; `action_parameters` keeps the shape of the API."""

    ref: str | None = None
    expression: str
    action: Action
    action_parameters: dict[str, Any] = Field(
        default={}, validation_alias=AliasChoices("action_parameters", "parameters")
    )
    ratelimit: RateLimit | None = Field(default=None, validation_alias=AliasChoices("ratelimit", "rate_limit"))
    enabled: bool = True
    description: str | None = None
    logging: dict[str, Any] | None = None
    exposed_credential_check: dict[str, Any] | None = None


class NamedList(Model):
    kind: Literal["ip", "asn", "hostname", "redirect"] = "ip"
    items: list[str | int | dict[str, Any]] = []
    description: str | None = None


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
    ai_bots_protection: str | None = None
    crawler_protection: str | None = None
    is_robots_txt_managed: bool = False
    auto_update_model: bool | None = None
    suppress_session_score: bool | None = None


class MustPass(Model):
    """A request that no rule may stop: a health check, a webhook, a search engine, the office."""

    name: str = Field(min_length=1)
    request: str | dict[str, Any]


class Zone(Model):
    """Everything that decides what happens to a request at the edge."""

    plan: Annotated[Plan, Field(strict=False)]
    name: str = ""
    settings: Settings = Settings()
    records: list[Record] = []
    rules: dict[Phase, list[Rule]] = {}
    lists: dict[str, NamedList] = {}
    url_normalization: UrlNormalization = UrlNormalization()
    bot_management: BotManagement = BotManagement()
    must_pass: list[MustPass] = []

    def rules_of(self, phase: str) -> list[Rule]:
        return self.rules.get(phase, [])  # type: ignore[call-overload, no-any-return]


def rule_name(phase: str, index: int, rule: Rule) -> str:
    """How reports call a rule: its ref, or where it stands."""
    return rule.ref or f"{phase}[{index}]"
