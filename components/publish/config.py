"""The `publish` section: where the plain part of a stack's outputs is put for other teams."""

from typing import Annotated

from components.leaves import Text
from components.section import Section
from components.values import AwsRegion, BucketName

OBJECT = "contract.json"

RoleArn = Annotated[
    str,
    Text(
        "a role's ARN, such as arn:aws:iam::123456789012:role/frontend",
        pattern=r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
        longest=600,
    ),
]


class PublishSettings(Section):
    """The outputs' plain part as a versioned object, for teams that hold no key of this stack."""

    bucket: BucketName
    """The bucket's name, unique among all customers of AWS."""
    region: AwsRegion = "eu-west-1"
    """Where it is."""
    readers: tuple[RoleArn, ...] = ()
    """Roles that may fetch it."""
