"""The security headers of an answer, said once for whoever sets them: the edge, or nginx at the origin."""

from __future__ import annotations

from components.site import SiteSettings

HSTS = "Strict-Transport-Security"
CSP = "Content-Security-Policy"


def security_headers(site: SiteSettings) -> dict[str, str]:
    """Name to value; a header whose setting is empty is left out."""
    given = site.headers
    headers = {
        HSTS: given.strict_transport_security,
        "X-Frame-Options": given.frame_options,
        "X-Content-Type-Options": given.content_type_options,
        "X-XSS-Protection": given.xss_protection,
        "Referrer-Policy": given.referrer_policy,
        "Permissions-Policy": given.permissions_policy,
        CSP: content_security_policy(site),
    }
    return {name: value for name, value in headers.items() if value}


def content_security_policy(site: SiteSettings) -> str:
    """The policy with the API among the addresses that pages may talk to."""
    policy = site.headers.content_security_policy
    if not policy:
        return ""
    api = (f"https://{site.api}", f"wss://{site.api}")
    directives = [part.strip() for part in policy.split(";") if part.strip()]
    own = next((part for part in directives if part.split()[0] == "connect-src"), "connect-src 'self'")
    wanted = [address for address in (*api, *site.headers.connect) if address not in own.split()]
    connect = " ".join([own, *wanted])
    return "; ".join([part for part in directives if part.split()[0] != "connect-src"] + [connect])
