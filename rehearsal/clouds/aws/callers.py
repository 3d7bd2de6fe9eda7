"""The identities behind access keys, and the policies that speak about them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

from rehearsal.clouds.aws import backend
from rehearsal.clouds.aws.backend import ACCOUNT
from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.aws.policy.document import Policy, parse

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
EVERYTHING = parse({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@dataclass(frozen=True)
class Caller:
    """`arn` is empty for a request that nobody signed."""

    arn: str = ""
    name: str = ""
    user_id: str = "anonymous"
    kind: str = "Anonymous"
    key_id: str = ""
    policies: tuple[Policy, ...] = field(default=(), repr=False)

    @property
    def anonymous(self) -> bool:
        return not self.arn

    @property
    def root(self) -> bool:
        return self.kind == "Account"


NOBODY = Caller()


class Callers:
    """The rehearsal's root key, and every key that IAM has made."""

    def __init__(self, root: tuple[str, str]) -> None:
        self._root_id, self._root_secret = root

    def secret(self, key_id: str) -> str | None:
        if hmac.compare_digest(key_id, self._root_id):
            return self._root_secret
        key = backend.iam().access_keys.get(key_id)
        return str(key.secret_access_key) if key is not None and key.status == "Active" else None

    def caller(self, key_id: str) -> Caller:
        if key_id == self._root_id:
            return Caller(ROOT_ARN, "root", ACCOUNT, "Account", key_id, (EVERYTHING,))
        iam = backend.iam()
        user = iam.users.get(iam.access_keys[key_id].user_name)
        if user is None:
            raise AwsError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        return Caller(user.arn, user.name, user.id, "User", key_id, tuple(_policies(iam, user)))


def _policies(iam: Any, user: Any) -> list[Policy]:
    """Inline and attached, the user's own and those of its groups."""
    groups = [group for group in iam.groups.values() if user in group.users]
    holders = [user, *groups]
    inline = [text for holder in holders for text in holder.policies.values()]
    managed = [_default(policy) for holder in holders for policy in holder.managed_policies.values()]
    return [parse(text) for text in (*inline, *managed)]


def _default(policy: Any) -> str:
    versions = policy.versions
    return next(str(one.document) for one in versions if one.version_id == policy.default_version_id)
