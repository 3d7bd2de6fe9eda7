"""A report with something in every part of it."""

from __future__ import annotations

from ops.review.report import Change, Difference, EdgeReview, Review, StackReview, Verdict, Violation

MESSAGE = "A database is found within minutes.\nports.0.ip: PostgreSQL would be published.\n  Fix: 127.0.0.1"
BUCKET = Change("delete", "media", "aws:s3/bucket:Bucket", "Storage", [], "every object in the bucket")
DATABASE = Change(
    "replace",
    "db",
    "docker:index/container:Container",
    "ContainerStack",
    [Difference("ports[0].ip", "127.0.0.1", "0.0.0.0")],
    "",
    "the container stops",
)
RECORD = Change("update", "api", "cloudflare:index/dnsRecord:DnsRecord", "CloudflareEdge")
NEW = Change("create", "new", "random:index/randomId:RandomId", "the stack itself")
KEPT = Change("unprotect", "backups", "aws:s3/bucket:Bucket", "Storage")


def review() -> Review:
    stack = StackReview(
        "neurmatic",
        "production",
        [RECORD, NEW, DATABASE, BUCKET, KEPT],
        81,
        [
            Violation("exposure-private-services", "db", MESSAGE, True),
            Violation("naming-tags", "media", "No tag.", False),
        ],
        [],
        ["PostgreSQL restarts: 5 s."],
        ["ports.0.ip is not known yet."],
    )
    edge = EdgeReview("neurmatic", 10, [Verdict("GET https://a/", "stopped", "allowed")], ['case "a": expected b'])
    return Review("aaa", "bbb", [stack, StackReview("neuropilot", "production", [], 47)], [edge], ["Packages differ."])
