"""Amazon resource names, and the forms that they have in IAM."""

from functools import lru_cache

import msgspec

from irsa_doctor.model.regex import regex


class Arn(msgspec.Struct, frozen=True):
    """`arn:partition:service:region:account:resource`, split at the first five colons
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def kind(self) -> str:
        """The resource type, `role` in `role/team/app`."""
        return self.resource.partition("/")[0]

    @property
    def name(self) -> str:
        """What follows the resource type: path and name of a role, the issuer of an OIDC provider."""
        return self.resource.partition("/")[2]


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ACCOUNT_ID = regex(r"[0-9]{12}")
_ROLE_HEAD = r"arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/"
# also the expression of amazon-eks-pod-identity-webhook, pkg/cache/cache.go, which warns of others and mounts them all the same
_ROLE = regex(_ROLE_HEAD + r"[A-Za-z0-9_+=,.@/-]*[A-Za-z0-9_+=,.@-]")
# a path has any visible sign (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html)
_ROLE_OF_PATH = regex(_ROLE_HEAD + r"(?:[!-~]*/)?[A-Za-z0-9_+=,.@-]+")
_PROVIDER = ":oidc-provider/"
# https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""how the regions of a partition begin; all others are of `aws`"""


def is_account_id(text: str) -> bool:
    """Whether it is the id of an account, twelve digits."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def is_role_arn(text: str) -> bool:
    """Whether it is the ARN of an IAM role, without the rare signs of a path that also mark placeholders."""
    return _ROLE.fullmatch(text) is not None


def may_be_role_arn(text: str) -> bool:
    """Whether IAM may have a role of this ARN, such as `.../role/[team]/app`; the prefix of an ARN twice is a slip."""
    return is_role_arn(text) or (_ROLE_OF_PATH.fullmatch(text) is not None and text.count(":role/") == 1)


def partition_of(region: str) -> str:
    """The partition of a region, by how its name begins."""
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def arn_of_provider(partition: str, account: str, issuer: str) -> str:
    """The ARN of the OIDC provider for an issuer (without scheme) in an account."""
    return f"arn:{partition}:iam::{account}{_PROVIDER}{issuer}"


def issuer_of_provider(arn: str) -> str:
    """What the ARN of an OIDC provider ends in, its issuer without scheme; "" where it is no such ARN."""
    return arn.partition(_PROVIDER)[2]


def is_provider_of(arn: str, issuer: str) -> bool:
    """Whether an ARN is that of an OIDC provider for an issuer (without scheme), in whatever account."""
    return arn.endswith(_PROVIDER + issuer)


@lru_cache(maxsize=65536)
def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None where the text is none."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])
