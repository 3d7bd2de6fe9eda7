"""What exists in the clouds already, for an `up` that was killed before it could write down what it had made."""

from __future__ import annotations

from ops.recover import Finder, Pending
from ops.session import Session
from rehearsal.inventory import find_in_rehearsal

# Types whose id is one of their own inputs. AWS refuses a second one of the same name, so that creating it again
# would fail for ever; all the others are safe to make again, or to find with `pulumi import`.
ID_IS_INPUT = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:iam/user:User": "name",
    "aws:iam/role:Role": "name",
}


def finder(session: Session) -> Finder:
    if session.target.rehearsal:
        return lambda operation, taken: find_in_rehearsal(session.folder.parent, operation, taken)
    return find_by_name


def find_by_name(operation: Pending, taken: frozenset[str]) -> str | None:
    """By the name that the program gave it. Whether it exists, the refresh that follows finds out."""
    key = ID_IS_INPUT.get(operation["type"])
    value = operation.get("inputs", {}).get(key) if key else None
    return value if isinstance(value, str) and value not in taken else None
