"""IAM on the emulated AWS: users, policies, attachments, keys: one row each."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from rehearsal.offline.plugins.amazon import Tagged, ask, there, token
from rehearsal.offline.plugins.kept import Subject
from rehearsal.offline.plugins.refusal import Upstream
from rehearsal.offline.plugins.session import ACCOUNT
from rehearsal.offline.plugins.wire import Values


@dataclass(frozen=True)
class Identity:
    """One type of IAM: its calls, and the arguments that name it."""

    noun: str
    create: str
    get: str
    delete: str
    named: dict[str, str]  # argument of get and delete, property
    given: dict[str, str]  # further arguments of create
    answer: str = ""  # where create's and get's answer has it
    id: str = ""
    update: str = ""


class Iam(Tagged):
    """A user, a policy, an attachment or a key."""

    def __init__(self, row: Identity) -> None:
        self.row = row

    def _arguments(self, names: dict[str, str], values: Values) -> Values:
        return {argument: values[name] for argument, name in names.items() if values.get(name) is not None}

    def make(self, subject: Subject, given: Values) -> tuple[str, Values]:
        row, what = self.row, f"creating IAM {self.row.noun} ({given.get('name') or given.get('user')}): "
        arguments = self._arguments({**row.named, **row.given}, given)
        if "tags" in subject.schema["inputs"] and self.all_tags(subject, given):
            arguments["Tags"] = self.tag_list(subject, given)
        if row.noun == "Policy":
            arguments.pop("PolicyArn", None)
        answer = ask(subject, "iam", row.create, what, **arguments)
        told = self._told(answer.get(row.answer, {}))
        return row.id.format(**{**given, **told}), told

    def _told(self, found: Values) -> Values:
        names = {
            "Arn": "arn",
            "UserId": "uniqueId",
            "PolicyId": "policyId",
            "SecretAccessKey": "secret",
            "Path": "path",
        }
        names |= {"AccessKeyId": "id", "Status": "status", "Description": "description"}
        return {**{mine: found[name] for name, mine in names.items() if name in found}, **self._created(found)}

    def _created(self, found: Values) -> Values:
        return {"createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")} if "CreateDate" in found else {}

    def change(self, subject: Subject, identity: str, old: Values, given: Values) -> Values:
        row, what = self.row, f"updating IAM {self.row.noun} ({identity}): "
        if row.update == "put":
            return self.make(subject, given)[1]
        if row.noun == "Policy":
            document = given["policy"]
            ask(
                subject,
                "iam",
                "create_policy_version",
                what,
                PolicyArn=identity,
                PolicyDocument=document,
                SetAsDefault=True,
            )
        elif row.noun == "Access Key":
            ask(
                subject,
                "iam",
                "update_access_key",
                what,
                UserName=given["user"],
                AccessKeyId=identity,
                Status=given["status"],
            )
        elif row.noun == "User":
            self._change_user(subject, old, given, what)
        return {}

    def _change_user(self, subject: Subject, old: Values, given: Values, what: str) -> None:
        names = {"NewUserName": given["name"], "NewPath": given.get("path", "/")}
        if (old.get("name"), old.get("path", "/")) != (given["name"], given.get("path", "/")):
            ask(subject, "iam", "update_user", what, UserName=old["name"], **names)
        gone = sorted(set(old.get("tagsAll") or {}) - set(self.all_tags(subject, given)))
        if gone:
            ask(subject, "iam", "untag_user", what, UserName=given["name"], TagKeys=gone)
        ask(subject, "iam", "tag_user", what, UserName=given["name"], Tags=self.tag_list(subject, given))

    def imported(self, subject: Subject, identity: str) -> Values:
        first, _, second = identity.partition(":" if self.row.noun == "User Policy" else "/")
        return {
            "User": {"id": identity, "name": identity},
            "User Policy": {"id": identity, "user": first, "name": second},
            "Policy": {"id": identity, "arn": identity},
            "User Policy Attachment": {"id": identity, "user": first, "policyArn": second},
            "Access Key": {"id": identity},
        }[self.row.noun]

    def look(self, subject: Subject, identity: str, state: Values) -> Values | None:
        row = self.row
        if row.noun == "Access Key":
            return self._look_for_key(subject, identity, state)
        if row.noun == "User Policy Attachment":
            return self._look_for_attachment(subject, state)
        found = there(subject, "iam", row.get, **self._arguments(row.named, {"arn": identity, **state}))
        if found is None:
            return None
        told = found.get(row.answer, found)
        seen = {**self._told(told), **{mine: told[name] for name, mine in row.named.items() if name in told}}
        if "PolicyDocument" in told:
            seen["policy"] = json.dumps(told["PolicyDocument"])
        if row.noun == "Policy":
            seen |= {"name": told["PolicyName"], **self._document(subject, identity, told["DefaultVersionId"])}
        return (
            {**seen, **self.tags_there(subject, state, told.get("Tags", []))}
            if "tags" in subject.schema["inputs"]
            else seen
        )

    def _document(self, subject: Subject, arn: str, version: str) -> Values:
        found = ask(subject, "iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        return {"policy": json.dumps(found["PolicyVersion"]["Document"])}

    def _look_for_key(self, subject: Subject, identity: str, state: Values) -> Values | None:
        user = state.get("user") or ask(subject, "iam", "get_access_key_last_used", AccessKeyId=identity)["UserName"]
        listed = there(subject, "iam", "list_access_keys", UserName=user) or {"AccessKeyMetadata": []}
        found = [key for key in listed["AccessKeyMetadata"] if key["AccessKeyId"] == identity]
        return {"user": user, **self._told(found[0])} if found else None

    def _look_for_attachment(self, subject: Subject, state: Values) -> Values | None:
        listed = there(subject, "iam", "list_attached_user_policies", UserName=state["user"]) or {
            "AttachedPolicies": []
        }
        known = {policy["PolicyArn"] for policy in listed["AttachedPolicies"]}
        return {"user": state["user"], "policyArn": state["policyArn"]} if state["policyArn"] in known else None

    def find(self, subject: Subject, given: Values, taken: Collection[str]) -> str | None:
        if self.row.noun == "Access Key":
            self._forget_keys(subject, str(given["user"]), taken)
            return None
        known = {"path": "/", "arn": f"arn:aws:iam::{ACCOUNT}:policy/{given.get('name')}", **given}
        identity = self.row.id.format(**known)
        return identity if self.look(subject, identity, {**given, "id": identity}) else None

    def _forget_keys(self, subject: Subject, user: str, taken: Collection[str]) -> None:
        """A key's secret is told once: one that nobody has written down is of no use, and goes."""
        for key in (there(subject, "iam", "list_access_keys", UserName=user) or {}).get("AccessKeyMetadata", ()):
            if key["AccessKeyId"] not in taken:
                ask(subject, "iam", "delete_access_key", UserName=user, AccessKeyId=key["AccessKeyId"])

    def remove(self, subject: Subject, identity: str, state: Values) -> None:
        row, what = self.row, f"deleting IAM {self.row.noun} ({identity}): "
        arguments = self._arguments(row.named, {**state, "id": identity})
        try:
            if row.noun == "Policy":
                for version in ask(subject, "iam", "list_policy_versions", what, **arguments)["Versions"]:
                    if not version["IsDefaultVersion"]:
                        ask(subject, "iam", "delete_policy_version", what, VersionId=version["VersionId"], **arguments)
            ask(subject, "iam", row.delete, what, **arguments)
        except Upstream as error:
            if error.code != "NoSuchEntity":
                raise


_IDENTITIES = {
    "User": Identity(
        "User", "create_user", "get_user", "delete_user", {"UserName": "name"}, {"Path": "path"}, "User", "{name}"
    ),
    "UserPolicy": Identity(
        "User Policy",
        "put_user_policy",
        "get_user_policy",
        "delete_user_policy",
        {"UserName": "user", "PolicyName": "name"},
        {"PolicyDocument": "policy"},
        id="{user}:{name}",
        update="put",
    ),
    "Policy": Identity(
        "Policy",
        "create_policy",
        "get_policy",
        "delete_policy",
        {"PolicyArn": "arn"},
        {"PolicyName": "name", "PolicyDocument": "policy", "Path": "path", "Description": "description"},
        "Policy",
        "{arn}",
    ),
    "UserPolicyAttachment": Identity(
        "User Policy Attachment",
        "attach_user_policy",
        "",
        "detach_user_policy",
        {"UserName": "user", "PolicyArn": "policyArn"},
        {},
        id="{user}/{policyArn}",
    ),
    "AccessKey": Identity(
        "Access Key",
        "create_access_key",
        "",
        "delete_access_key",
        {"UserName": "user", "AccessKeyId": "id"},
        {},
        "AccessKey",
        "{id}",
    ),
}


ACTORS = {token("iam", name): Iam(row) for name, row in _IDENTITIES.items()}
