"""The `action_parameters` of a rule: the names of pulumi_cloudflare 6.23 and of the API, one strict shape.

What the simulator and the linter read is typed; what changes no verdict is accepted as it is.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field, model_validator

from edgerules.zone.base import Model

Free = Any
"""Accepted and kept, not looked at."""


class Computed(Model):
    """A fixed value, or an expression that computes one."""

    value: str | None = None
    expression: str | None = None

    @model_validator(mode="after")
    def one_of_both(self) -> Computed:
        if (self.value is None) == (self.expression is None):
            raise ValueError("give either value or expression")
        return self


class HeaderChange(Model):
    operation: Literal["add", "set", "remove"]
    value: str | None = None
    expression: str | None = None

    @model_validator(mode="after")
    def has_a_value(self) -> HeaderChange:
        given = (self.value is not None) + (self.expression is not None)
        if given != (self.operation != "remove"):
            raise ValueError("set and add need either value or expression, remove has neither")
        return self


class Response(Model):
    status_code: int | None = None
    content: str | None = None
    content_type: str | None = None


class FromValue(Model):
    target_url: Computed
    status_code: Literal[301, 302, 303, 307, 308] | None = None
    preserve_query_string: bool | None = None


class FromList(Model):
    name: str
    key: str | None = None


class Uri(Model):
    path: Computed | None = None
    query: Computed | None = None
    origin: bool | None = None


class CodeRange(Model):
    from_: int | None = Field(default=None, validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: int | None = None


class StatusTtl(Model):
    value: int | Literal["no-store", "no-cache"]
    status_code: int | None = None
    status_code_range: CodeRange | None = None


class EdgeTtl(Model):
    mode: Literal["respect_origin", "bypass_by_default", "override_origin"]
    default: int | None = None
    status_code_ttl: list[StatusTtl] | None = Field(
        default=None, validation_alias=AliasChoices("status_code_ttl", "status_code_ttls")
    )


class BrowserTtl(Model):
    mode: Literal["respect_origin", "bypass_by_default", "override_origin", "bypass"]
    default: int | None = None


class OverriddenPart(Model):
    id: str | None = None
    category: str | None = None
    action: str | None = None
    enabled: bool | None = None
    score_threshold: int | None = None
    sensitivity_level: str | None = None


class Overrides(Model):
    action: str | None = None
    enabled: bool | None = None
    sensitivity_level: str | None = None
    categories: list[OverriddenPart] | None = None
    rules: list[OverriddenPart] | None = None


class OriginTarget(Model):
    host: str | None = None
    port: int | None = None


class Sni(Model):
    value: str


class ActionParameters(Model):
    # block, serve_error
    response: Response | None = None
    status_code: int | None = None
    content: str | None = None
    content_type: str | None = None
    asset_name: str | None = None
    # redirect, rewrite
    from_value: FromValue | None = None
    from_list: FromList | None = None
    uri: Uri | None = None
    headers: dict[str, HeaderChange] | None = None
    # skip
    ruleset: Literal["current"] | None = None
    phase: Literal["current"] | None = None
    phases: list[str] | None = None
    products: list[str] | None = None
    rulesets: list[str] | None = None
    rules: dict[str, list[str]] | None = None
    # execute
    id: str | None = None
    overrides: Overrides | None = None
    matched_data: Free = None
    increment: Free = None
    # route
    host_header: str | None = None
    origin: OriginTarget | None = None
    sni: Sni | None = None
    # set_cache_settings
    cache: bool | None = None
    edge_ttl: EdgeTtl | None = None
    browser_ttl: BrowserTtl | None = None
    cache_key: Free = None
    cache_reserve: Free = None
    serve_stale: Free = None
    additional_cacheable_ports: Free = None
    origin_cache_control: Free = None
    origin_error_page_passthru: Free = None
    read_timeout: Free = None
    respect_strong_etags: Free = None
    # set_config
    automatic_https_rewrites: Free = None
    autominify: Free = None
    bic: Free = None
    content_converter: Free = None
    disable_apps: Free = None
    disable_rum: Free = None
    disable_zaraz: Free = None
    email_obfuscation: Free = None
    fonts: Free = None
    hotlink_protection: Free = None
    mirage: Free = None
    opportunistic_encryption: Free = None
    polish: Free = None
    redirects_for_ai_training: Free = None
    request_body_buffering: Free = None
    response_body_buffering: Free = None
    rocket_loader: Free = None
    security_level: Free = None
    server_side_excludes: Free = None
    ssl: Free = None
    sxg: Free = None
    # compression, logging and the response's cache control
    algorithms: Free = None
    cookie_fields: Free = None
    request_fields: Free = None
    response_fields: Free = None
    raw_response_fields: Free = None
    transformed_request_fields: Free = None
    expression: Free = None
    immutable: Free = None
    max_age: Free = None
    must_revalidate: Free = None
    must_understand: Free = None
    no_cache: Free = None
    no_store: Free = None
    no_transform: Free = None
    operation: Free = None
    origin_range_requests: Free = None
    private: Free = None
    proxy_revalidate: Free = None
    public: Free = None
    s_maxage: Free = None
    stale_if_error: Free = None
    stale_while_revalidate: Free = None
    strip_etags: Free = None
    strip_last_modified: Free = None
    strip_set_cookie: Free = None
    values: Free = None
    vary: Free = None
