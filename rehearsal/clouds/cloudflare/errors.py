"""What the API refuses with. `known` says how sure the code and the words are.

documented: Cloudflare's documentation or client says so. seen: people quote it in public from real answers; the status
may be a guess. guess: the real one refuses this as well, but its code or its words could not be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RECORDS_PAGE = (
    "For more details, refer to "
    "<https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>."
)


@dataclass(frozen=True)
class Known:
    status: int
    code: int
    message: str
    known: str
    chain: tuple[int, str] | None = None


class RefusalError(Exception):
    """One answer with `success: false`."""

    def __init__(self, name: str, pointer: str | None = None, /, **values: Any) -> None:
        self.entry = ERRORS[name]
        self.message = self.entry.message.format(**values)
        self.pointer = pointer
        super().__init__(f"{self.entry.code}: {self.message}")

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.entry.code, "message": self.message}
        if self.pointer:
            error["source"] = {"pointer": self.pointer}
        if self.entry.chain:
            error["error_chain"] = [{"code": self.entry.chain[0], "message": self.entry.chain[1]}]
        return {"result": None, "success": False, "errors": [error], "messages": []}


ERRORS: dict[str, Known] = {
    # Who asks
    "no-token": Known(400, 1001, 'Missing "Authorization" header', "seen"),
    "malformed-token": Known(
        400, 6003, "Invalid request headers", "seen", (6111, "Invalid format for Authorization header")
    ),
    "unknown-token": Known(401, 1000, "Invalid API Token", "documented"),
    "wrong-token": Known(403, 10000, "Authentication error", "seen"),
    "wrong-token-dns": Known(403, 9109, "Invalid access token", "seen"),
    "expired-token": Known(401, 9109, "Invalid access token", "guess"),
    "no-route": Known(404, 7000, "No route for that URI", "seen"),
    "bad-identifier": Known(404, 7003, "Could not route to {path}, perhaps your object identifier is invalid?", "seen"),
    "method": Known(405, 10405, "Method not allowed for this authentication scheme", "guess"),
    "unknown-zone": Known(404, 1001, "Invalid zone identifier", "guess"),
    "unknown-account": Known(404, 1003, "Invalid account identifier", "guess"),
    "bad-json": Known(400, 9207, "Failed to parse the request body: {why}", "guess"),
    "zone-exists": Known(400, 1061, "An A record with that zone already exists: {name} already exists", "guess"),
    # On a bad day
    "429": Known(429, 971, "Please wait and consider throttling your request speed", "seen"),
    "500": Known(500, 10001, "Internal server error", "guess"),
    "503": Known(503, 10013, "The service is temporarily unavailable", "guess"),
    # DNS
    "record-missing": Known(404, 81044, "Record does not exist.", "seen"),
    "record-quota": Known(400, 81045, "Record quota exceeded.", "guess"),
    "record-beside": Known(400, 81053, "An A, AAAA, or CNAME record with that host already exists.", "seen"),
    "record-beside-cname": Known(400, 81054, "A CNAME record with that host already exists. " + RECORDS_PAGE, "seen"),
    "record-identical": Known(400, 81058, "An identical record already exists.", "seen"),
    "record-type": Known(400, 9020, "DNS record type {type} is invalid.", "guess"),
    "record-a": Known(400, 9005, "Content for A record must be a valid IPv4 address.", "seen"),
    "record-aaaa": Known(400, 9006, "Content for AAAA record must be a valid IPv6 address.", "seen"),
    "record-cname": Known(400, 9007, "Content for CNAME record is invalid.", "guess"),
    "record-content": Known(400, 9020, "Invalid DNS record type or content.", "guess"),
    "record-ttl": Known(
        400, 9021, "Invalid TTL. Must be between {least} and 86400 seconds, or 1 for automatic", "seen"
    ),
    "record-name": Known(400, 9000, "DNS name is invalid.", "guess"),
    "record-proxied": Known(400, 9004, "This record type cannot be proxied.", "seen"),
    "record-target": Known(400, 9003, "Target {target} is not allowed for a proxied record.", "seen"),
    "record-priority": Known(400, 9100, "priority is a required data field.", "guess"),
    "record-data": Known(400, 9101, "{field} is a required data field.", "guess"),
    # Rulesets
    "ruleset-missing": Known(404, 10000, "could not find ruleset", "guess"),
    "entrypoint-missing": Known(404, 10003, "could not find entrypoint ruleset in the {phase} phase", "seen"),
    "ruleset-second": Known(
        400,
        20217,
        "'zone' is not a valid value for kind because exceeded maximum number of zone rulesets for phase {phase}",
        "seen",
    ),
    "ruleset-invalid": Known(400, 10014, "{why}", "guess"),
    "rules-many": Known(
        400, 50001, "exceeded the maximum number of rules in the phase {phase}: {count} out of {most}", "seen"
    ),
    "expression": Known(400, 20127, "'{expression}' is not a valid value for expression because {why}", "seen"),
    "rule-invalid": Known(400, 20021, "{why}", "guess"),
    # Seen with 20120: a phase that skip may not name. The words of rate limits and overrides are seen, without a code.
    "rule-entitlement": Known(400, 20120, "{why}", "seen"),
    "rule-colo": Known(
        400,
        20155,
        "characteristics field is missing 'cf.colo.id', this is required as ratelimiting counting is processed at "
        "colocation level only",
        "seen",
    ),
    "expression-blank": Known(
        400, 20125, "'' is not a valid value for expression because the expression cannot be blank", "seen"
    ),
    # Settings of a zone
    "setting-unknown": Known(400, 1006, "Unrecognized zone setting name: {name}", "seen"),
    "setting-value": Known(400, 1007, "Invalid value for zone setting {name}", "seen"),
    "setting-plan": Known(400, 1010, "Not allowed to edit setting for {name}", "guess"),
    "value-invalid": Known(400, 1004, "{why}", "guess"),
    "plan-lacks": Known(403, 1009, "{what} is not available on the {plan} plan", "guess"),
    "bots-likely": Known(403, 1009, "zone not entitled to enable likely automated bots ruleset", "seen"),
    # Certificates
    "certificate-missing": Known(404, 1411, "Certificate not found", "guess"),
    "certificate-invalid": Known(400, 1402, "{why}", "guess"),
    "csr-invalid": Known(400, 1014, "Failed to decode the certificate request: {why}", "guess"),
    "validity-invalid": Known(400, 1015, "requested_validity must be one of {allowed}", "guess"),
    "hostname-foreign": Known(
        400, 1010, "This zone is either not part of your account, or you do not have access to it: {name}", "guess"
    ),
    # Health checks, notifications, lists
    "healthcheck-missing": Known(404, 1002, "healthcheck not found", "guess"),
    "healthcheck-quota": Known(400, 1002, "healthcheck quota exceeded: {most} on the {plan} plan", "guess"),
    "policy-missing": Known(404, 17000, "policy does not exist", "guess"),
    "policy-invalid": Known(400, 17001, "{why}", "guess"),
    "list-missing": Known(404, 10001, "could not find list", "guess"),
    "list-exists": Known(400, 10020, "duplicate list name: {name}", "guess"),
    "list-quota": Known(400, 10021, "maximum number of lists reached: {most}", "guess"),
    "list-in-use": Known(400, 10022, "list is used by a rule: {name}", "guess"),
    "list-item": Known(400, 10026, "invalid list item: {why}", "guess"),
}
