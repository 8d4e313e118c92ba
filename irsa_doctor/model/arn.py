"""Amazon resource names."""

from functools import lru_cache

import msgspec


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


@lru_cache(maxsize=65536)
def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None where the text is none."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])
