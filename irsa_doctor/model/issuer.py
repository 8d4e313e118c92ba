"""Token issuers, and the forms in which AWS writes them."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Literal, Self

import msgspec

from irsa_doctor.model.regex import regex

# oidc.eks.<region>.<suffix of the partition>/id/<id>; the id is whatever EKS made it, so only "not empty, no slash" is asked
# (https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html);
# issuers/eks.yaml has the same forms to find the profile, this takes a name apart: a test keeps both equal
_EKS = regex(r"oidc\.eks\.(?P<region>[^./]+)\.(?P<suffix>[^/]+)/id/(?P<id>[^/]+)")
_DUALSTACK = regex(r"oidc-eks\.(?P<region>[^./]+)\.api\.(?:aws|amazonwebservices\.[^/]+)/id/(?P<id>[^/]+)")
_PARTITION_OF_SUFFIX = {
    "amazonaws.com": "aws",
    "amazonaws.com.cn": "aws-cn",
    "c2s.ic.gov": "aws-iso",
    "sc2s.sgov.gov": "aws-iso-b",
    "cloud.adc-e.uk": "aws-iso-e",
    "csp.hci.ic.gov": "aws-iso-f",
    "amazonaws.eu": "aws-eusc",
}
# names that public DNS does not have (https://www.iana.org/assignments/special-use-domain-names, and ICANN's .internal)
_PRIVATE = frozenset({"localhost", "local", "internal", "svc", "invalid", "test", "lan", "localdomain"})


def _is_private_address(host: str) -> bool:
    """Whether a host is an address and not a name: providers for addresses of private networks cannot be read."""
    try:
        return not ip_address(host.strip("[]")).is_global
    except ValueError:
        return False


class Issuer(msgspec.Struct, frozen=True):
    """Who signs tokens; `name` is its URL without the scheme, as IAM writes it in ARNs and condition keys."""

    name: str
    form: Literal["eks", "eks-dualstack", "other"]
    region: str = ""
    partition: str = ""
    id: str = ""

    @classmethod
    @lru_cache(maxsize=65536)
    def of(cls, url: str) -> Self:
        """The issuer of a URL, with or without `https://`. Nothing else is normalised: IAM compares byte by byte."""
        name = url.removeprefix("https://")
        if match := _EKS.fullmatch(name):
            region, suffix = match["region"], match["suffix"]
            partition = _PARTITION_OF_SUFFIX.get(suffix, "")
            if region.startswith("us-gov-") and partition == "aws":
                partition = "aws-us-gov"
            return cls(name, "eks", region, partition, match["id"])
        if match := _DUALSTACK.fullmatch(name):
            return cls(name, "eks-dualstack", match["region"], "", match["id"])
        return cls(name, "other")

    @property
    def in_tokens(self) -> str:
        """Without scheme, as tokens carry it: the dual-stack alias of an EKS issuer is not what they name."""
        if self.form != "eks-dualstack":
            return self.name
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"oidc.eks.{self.region}.{suffix}/id/{self.id}"

    @property
    def is_public(self) -> bool:
        """Whether STS can reach it, as far as its name shows: over https, and not at a host of a private network."""
        host = self.name.partition("/")[0].partition(":")[0].lower()
        labels = host.split(".")
        return "://" not in self.name and len(labels) > 1 and not _PRIVATE & set(labels) and not _is_private_address(host)

    @property
    def url(self) -> str:
        """With the scheme, as `iss` in a token and as describe-cluster writes it."""
        return "https://" + self.name
